---------------------------------------------------------------------------
-- Local time: the days, holidays and cut-off times of a location.
---------------------------------------------------------------------------

CREATE TABLE replenish.holiday (
	location text COLLATE "C"
		CHECK (pg_catalog.octet_length(location) BETWEEN 1 AND 255),
	day date NOT NULL CHECK (pg_catalog.isfinite(day)),
	reason text,
	UNIQUE NULLS NOT DISTINCT (day, location)
);
SELECT pg_catalog.pg_extension_config_dump('replenish.holiday', '');
ALTER TABLE replenish.holiday REPLICA IDENTITY FULL;

COMMENT ON TABLE replenish.holiday IS
'Days of a location, in its own time zone, on which no replenishment can be ordered for it; with location NULL, for any. Where every day counts, such as weekends, each is a row.';

CREATE FUNCTION replenish.zone_of(location text) RETURNS text
	LANGUAGE sql STABLE PARALLEL SAFE
	BEGIN ATOMIC
		SELECT coalesce((SELECT l.time_zone FROM replenish.location l
			WHERE l.location = zone_of.location), 'UTC');
	END;
COMMENT ON FUNCTION replenish.zone_of(text) IS
'The time zone of a location; UTC where the location is not declared.';

CREATE FUNCTION replenish.local_midnight(location text, clock timestamptz)
	RETURNS timestamptz
	LANGUAGE sql STABLE PARALLEL SAFE
	BEGIN ATOMIC
		SELECT pg_catalog.date_trunc('day', local_midnight.clock,
			replenish.zone_of(local_midnight.location));
	END;
COMMENT ON FUNCTION replenish.local_midnight(text, timestamptz) IS
'When the local day of a location that the moment is in began. Days have 23 or 25 hours where the clocks change.';

-- Sixty holidays in a row are a mistake, and are answered as if there were none.
CREATE FUNCTION replenish.last_order_at(location text, at timestamptz,
	clock timestamptz) RETURNS timestamptz
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, replenish, pg_temp
	SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
DECLARE
	place location;
	last timestamptz;
BEGIN
	SELECT l.* FROM location l WHERE l.location = last_order_at.location
	INTO place;
	IF at IS NULL
		OR place.cut_off IS NULL AND NOT EXISTS (SELECT FROM holiday) THEN
		RETURN at;
	END IF;
	SELECT least(m.moment, last_order_at.at)
	FROM generate_series(0, 60) back (days)
	CROSS JOIN LATERAL (SELECT (last_order_at.at
		AT TIME ZONE coalesce(place.time_zone, 'UTC'))::date - back.days
		AS day) d
	CROSS JOIN LATERAL (SELECT (CASE WHEN place.cut_off IS NULL
			THEN d.day + 1 + time '00:00' ELSE d.day + place.cut_off END)
		AT TIME ZONE coalesce(place.time_zone, 'UTC') AS moment) m
	WHERE (place.cut_off IS NULL OR m.moment <= last_order_at.at)
		AND NOT EXISTS (SELECT FROM holiday h WHERE h.day = d.day
			AND (h.location = last_order_at.location OR h.location IS NULL))
	ORDER BY back.days LIMIT 1
	INTO last;
	RETURN greatest(coalesce(last, at), least(at, clock));
END $$;
COMMENT ON FUNCTION replenish.last_order_at(text, timestamptz, timestamptz) IS
'The last moment, no later than at, at which a replenishment for a location can be ordered: a cut-off time of the location, or any moment where it has none, on a day that is no holiday there; never before the clock, which then means at once. Looks 60 days back; NULL gives NULL.';

CREATE FUNCTION replenish.place_changed() RETURNS trigger
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, replenish, pg_temp AS $$
BEGIN
	IF TG_OP = 'TRUNCATE' THEN
		PERFORM touch(NULL, NULL);
		RETURN NULL;
	END IF;
	IF TG_OP <> 'INSERT' THEN
		PERFORM touch(NULL, OLD.location);
	END IF;
	IF TG_OP <> 'DELETE' THEN
		PERFORM touch(NULL, NEW.location);
	END IF;
	RETURN NULL;
END $$;
COMMENT ON FUNCTION replenish.place_changed() IS
'Trigger on location and holiday: has the items of the location of a changed row decided again.';

CREATE TRIGGER location_changed AFTER INSERT OR UPDATE OR DELETE
	ON replenish.location FOR EACH ROW
	EXECUTE FUNCTION replenish.place_changed();
CREATE TRIGGER holiday_changed AFTER INSERT OR UPDATE OR DELETE
	ON replenish.holiday FOR EACH ROW
	EXECUTE FUNCTION replenish.place_changed();
CREATE TRIGGER holiday_truncated AFTER TRUNCATE
	ON replenish.holiday FOR EACH STATEMENT
	EXECUTE FUNCTION replenish.place_changed();
COMMENT ON TRIGGER location_changed ON replenish.location IS
'Has the items of a changed location decided again.';
COMMENT ON TRIGGER holiday_changed ON replenish.holiday IS
'Has the items of the location of a changed row decided again.';
COMMENT ON TRIGGER holiday_truncated ON replenish.holiday IS
'Has all items decided again.';
