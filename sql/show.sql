---------------------------------------------------------------------------
-- Shows and promotions: what they are to sell is planned before, and what they
-- sold is taken out of the base afterwards.
---------------------------------------------------------------------------

CREATE TABLE replenish.show (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	channel text COLLATE "C" NOT NULL
		CHECK (pg_catalog.octet_length(channel) BETWEEN 1 AND 255),
	starts_at timestamptz NOT NULL,
	ends_at timestamptz NOT NULL,
	uplift float8 CHECK (uplift >= 0 AND uplift <= 1000),
	title text,
	CHECK (starts_at < ends_at AND ends_at <= starts_at + interval '7 days')
);
SELECT pg_catalog.pg_extension_config_dump('replenish.show', '');
SELECT pg_catalog.pg_extension_config_dump('replenish.show_id_seq', '');
CREATE INDEX show_ends_at_idx ON replenish.show (ends_at);

COMMENT ON TABLE replenish.show IS
'The calendar of shows and promotions, at most seven days long each: on which channel, when, and what is expected of them. Its items are those of show_item, or where it has none, all that the channel sells.';
COMMENT ON SEQUENCE replenish.show_id_seq IS 'Numbers of shows.';
COMMENT ON COLUMN replenish.show.uplift IS
'The channel''s demand during the show as a multiple of what it would be without; for items that say nothing themselves. NULL is like the last show.';

CREATE TABLE replenish.show_item (
	show bigint NOT NULL REFERENCES replenish.show ON DELETE CASCADE,
	sku text COLLATE "C" NOT NULL
		CHECK (pg_catalog.octet_length(sku) BETWEEN 1 AND 255),
	location text COLLATE "C" NOT NULL DEFAULT 'default'
		CHECK (pg_catalog.octet_length(location) BETWEEN 1 AND 255),
	units float8 CHECK (units >= 0 AND units <= 1e12),
	uplift float8 CHECK (uplift >= 0 AND uplift <= 1000),
	PRIMARY KEY (show, sku, location)
);
SELECT pg_catalog.pg_extension_config_dump('replenish.show_item', '');
CREATE INDEX show_item_sku_idx ON replenish.show_item (sku, location);

COMMENT ON TABLE replenish.show_item IS
'What a show is expected to do for an item: units that it sells beyond what the channel would sell anyway, or an uplift; with neither, what show.uplift says, and where that is NULL, as much as its last show on that channel sold beyond the usual.';

-- Kept when the show is deleted: its orders are still among the demand.
CREATE TABLE replenish.show_result (
	show bigint NOT NULL,
	sku text COLLATE "C" NOT NULL,
	location text COLLATE "C" NOT NULL,
	channel text COLLATE "C" NOT NULL,
	starts_at timestamptz NOT NULL,
	ends_at timestamptz NOT NULL,
	usual float8 NOT NULL,
	expected float8,
	actual float8 NOT NULL,
	expected_uplift float8,
	actual_uplift float8,
	excess replenish.demand NOT NULL,
	recorded_at timestamptz NOT NULL,
	PRIMARY KEY (sku, location, show)
);
SELECT pg_catalog.pg_extension_config_dump('replenish.show_result', '');

COMMENT ON TABLE replenish.show_result IS
'What each show did for each of its items, recorded an hour after its end, for the whole hours that it touched: the units that its channel was usual to sell in them, the units expected and sold, and both as multiples of the usual. excess is what it sold beyond the usual: forecasts are made without it.';
COMMENT ON COLUMN replenish.show_result.usual IS
'Units that the channel was expected to sell in the hours of the show, by its demand before and without earlier shows.';
COMMENT ON COLUMN replenish.show_result.actual_uplift IS
'actual / usual; NULL where nothing was usual.';

CREATE FUNCTION replenish.shows_of(sku text, location text,
	from_at timestamptz, to_at timestamptz)
	RETURNS TABLE (id bigint, channel text, starts_at timestamptz,
		ends_at timestamptz, units float8, uplift float8)
	LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 2
	SET search_path = pg_catalog, replenish, pg_temp
	SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
BEGIN
	RETURN QUERY
	SELECT s.id, s.channel, s.starts_at, s.ends_at, i.units,
		CASE WHEN i.units IS NULL THEN coalesce(i.uplift, s.uplift) END
	FROM show s
	LEFT JOIN show_item i ON i.show = s.id AND i.sku = shows_of.sku
		AND i.location = shows_of.location
	WHERE s.ends_at > from_at AND s.ends_at <= to_at
		AND (i.sku IS NOT NULL
			OR NOT EXISTS (SELECT FROM show_item o WHERE o.show = s.id)
				AND EXISTS (SELECT FROM raw_skus(shows_of.sku) r
					JOIN item_demand d ON d.sku = r.sku
						AND d.channel = s.channel));
END $$;
COMMENT ON FUNCTION replenish.shows_of(text, text, timestamptz, timestamptz) IS
'The shows of an item that end after from_at and by to_at, with its own units and uplift; NULL where it is to be like the last.';

-- While a show sells as a burst, the burst's rest is not planned for as well.
CREATE FUNCTION replenish.planned_units(sku text, location text,
	channel text, starts_at timestamptz, ends_at timestamptz, units float8,
	uplift float8, demand replenish.demand, clock timestamptz)
	RETURNS float8
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, replenish, pg_temp
	SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
DECLARE
	planned float8 := units;
	hours float8;			-- of the show that are left
	base float8;			-- units per hour
BEGIN
	IF planned IS NULL AND uplift IS NOT NULL THEN
		planned := (uplift - 1) * (demand_forecast(
			without_shows(sku, location, channel,
				channel_demand(sku, location, channel)),
			starts_at, ends_at - starts_at)).mean;
	ELSIF planned IS NULL THEN
		SELECT r.actual - r.usual FROM show_result r
		WHERE r.sku = planned_units.sku AND r.location = planned_units.location
			AND r.channel = planned_units.channel
			AND r.ends_at <= planned_units.starts_at
		ORDER BY r.ends_at DESC, r.show DESC LIMIT 1
		INTO planned;
	END IF;
	IF starts_at >= clock OR planned IS NULL THEN
		RETURN greatest(planned, 0);
	END IF;
	hours := extract(epoch FROM ends_at - clock)::float8 / 3600;
	base := (demand_forecast(demand, clock, interval '1 hour')).mean;
	RETURN greatest(0, planned * hours * 3600
		/ extract(epoch FROM ends_at - starts_at)::float8
		- hours * greatest(0, demand_velocity(demand, clock) - base));
END $$;
COMMENT ON FUNCTION replenish.planned_units(text, text, text, timestamptz, timestamptz, float8, float8, replenish.demand, timestamptz) IS
'Units that a show is still to sell of an item beyond the usual: its units, or (uplift - 1) times what the channel is expected to sell in that time, or what the last show on the channel sold; of one that has begun, the part for the time that is left, less what a burst under way is expected to sell by then. Never negative; NULL where nothing is known.';

CREATE FUNCTION replenish.without_shows(sku text, location text,
	channel text, demand replenish.demand) RETURNS replenish.demand
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, replenish, pg_temp
	SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
BEGIN
	RETURN demand - coalesce((SELECT demand_merge(r.excess)
		FROM show_result r
		WHERE r.sku = without_shows.sku AND r.location = without_shows.location
			AND (without_shows.channel IS NULL
				OR r.channel = without_shows.channel)), '{}');
END $$;
COMMENT ON FUNCTION replenish.without_shows(text, text, text, replenish.demand) IS
'An item''s demand, of one channel or with channel NULL of all, without what its shows sold beyond the usual.';

CREATE FUNCTION replenish.show_outlook(sku text, location text,
	clock timestamptz, demand replenish.demand,
	OUT outlook replenish.outlook[], OUT changes_at timestamptz)
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, replenish, pg_temp
	SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
BEGIN
	SELECT array_agg((s.starts_at, s.ends_at, CASE WHEN s.uplift < 1
				THEN 1 + (s.uplift - 1) * channel_share(show_outlook.sku,
					show_outlook.location, s.channel, show_outlook.demand,
					clock) END, p.units)::outlook
			ORDER BY s.starts_at, s.id) FILTER (WHERE s.ends_at > clock),
		min(CASE WHEN s.starts_at > clock THEN s.starts_at
			WHEN s.ends_at > clock THEN s.ends_at + interval '1 hour'
			WHEN s.ends_at > clock - interval '1 hour'
				THEN s.ends_at + interval '1 hour' END)
	FROM shows_of(sku, location, clock - interval '1 hour',
		clock + interval '366 days') s
	CROSS JOIN LATERAL (SELECT planned_units(show_outlook.sku,
		show_outlook.location, s.channel, s.starts_at, s.ends_at, s.units,
		s.uplift, show_outlook.demand, clock) AS units) p
	INTO outlook, changes_at;
END $$;
COMMENT ON FUNCTION replenish.show_outlook(text, text, timestamptz, replenish.demand) IS
'What the calendar says of an item at the clock: the outlook of its shows, and when that changes.';

-- A show is over for the summary when its minutes have left the ring; a week
-- later its hours would leave as well.
CREATE FUNCTION replenish.record_shows(keys replenish.item_key[],
	clock timestamptz) RETURNS void
	LANGUAGE plpgsql VOLATILE
	SET search_path = pg_catalog, replenish, pg_temp
	SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
DECLARE
	s record;
	begins timestamptz;	-- whole hours: half of one is read in proportion
	ends timestamptz;
	sold demand;		-- on the channel, without earlier shows
	base demand;
	usual float8;
	actual float8;
	expected float8;
BEGIN
	IF NOT EXISTS (SELECT FROM show w
			WHERE w.ends_at > clock - interval '169 hours'
				AND w.ends_at <= clock - interval '1 hour') THEN
		RETURN;
	END IF;
	FOR s IN
		SELECT k.sku, k.location, w.*
		FROM unnest(keys) k
		CROSS JOIN LATERAL shows_of(k.sku, k.location,
			clock - interval '169 hours', clock - interval '1 hour') w
		WHERE NOT EXISTS (SELECT FROM show_result r WHERE r.show = w.id
			AND r.sku = k.sku AND r.location = k.location)
		ORDER BY w.ends_at, w.id
	LOOP
		sold := without_shows(s.sku, s.location, s.channel,
			channel_demand(s.sku, s.location, s.channel));
		begins := date_trunc('hour', s.starts_at, 'UTC');
		ends := date_trunc('hour', s.ends_at + interval '59 minutes 59.999999'
			, 'UTC');
		usual := (demand_forecast(sold, begins, ends - begins)).mean;
		actual := demand_velocity(sold, ends, ends - begins)
			* extract(epoch FROM ends - begins)::float8 / 3600;
		expected := usual + planned_units(s.sku, s.location, s.channel,
			s.starts_at, s.ends_at, s.units, s.uplift, sold, s.starts_at);
		base := CASE WHEN actual > usual
			THEN demand_times(sold, usual / actual, begins, ends)
			ELSE sold END;
		INSERT INTO show_result (show, sku, location, channel, starts_at,
			ends_at, usual, expected, actual, expected_uplift, actual_uplift,
			excess, recorded_at)
		VALUES (s.id, s.sku, s.location, s.channel, s.starts_at, s.ends_at,
			usual, expected, actual, expected / nullif(usual, 0),
			actual / nullif(usual, 0), sold - base, clock);
	END LOOP;
END $$;
COMMENT ON FUNCTION replenish.record_shows(replenish.item_key[], timestamptz) IS
'Records what the shows that ended between an hour and a week ago did for the given items, once each. For the decider only.';

CREATE FUNCTION replenish.prune_shows(clock timestamptz) RETURNS void
	LANGUAGE plpgsql VOLATILE
	SET search_path = pg_catalog, replenish, pg_temp AS $$
BEGIN
	DELETE FROM show_result r WHERE r.ends_at < clock - interval '742 days';
END $$;
COMMENT ON FUNCTION replenish.prune_shows(timestamptz) IS
'Forgets the results of shows whose orders no summary holds any more. For the decider only.';

CREATE FUNCTION replenish.show_changed() RETURNS trigger
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, replenish, pg_temp AS $$
BEGIN
	IF TG_OP = 'TRUNCATE' THEN
		PERFORM touch(NULL, NULL);
		RETURN NULL;
	END IF;
	IF TG_TABLE_NAME = 'show_item' THEN
		IF TG_OP <> 'INSERT' THEN
			PERFORM touch(OLD.sku, OLD.location);
		END IF;
		IF TG_OP <> 'DELETE' THEN
			PERFORM touch(NEW.sku, NEW.location);
		END IF;
		RETURN NULL;
	END IF;
	IF TG_OP <> 'INSERT' THEN
		PERFORM touch_part(NULL, NULL, OLD.channel);
	END IF;
	IF TG_OP <> 'DELETE' THEN
		PERFORM touch_part(NULL, NULL, NEW.channel);
		PERFORM touch(i.sku, i.location) FROM show_item i WHERE i.show = NEW.id;
	END IF;
	RETURN NULL;
END $$;
COMMENT ON FUNCTION replenish.show_changed() IS
'Trigger on show and show_item: has the items that a changed row concerns decided again.';

CREATE TRIGGER show_changed AFTER INSERT OR UPDATE OR DELETE
	ON replenish.show FOR EACH ROW
	EXECUTE FUNCTION replenish.show_changed();
CREATE TRIGGER show_truncated AFTER TRUNCATE
	ON replenish.show FOR EACH STATEMENT
	EXECUTE FUNCTION replenish.show_changed();
CREATE TRIGGER show_item_changed AFTER INSERT OR UPDATE OR DELETE
	ON replenish.show_item FOR EACH ROW
	EXECUTE FUNCTION replenish.show_changed();
CREATE TRIGGER show_item_truncated AFTER TRUNCATE
	ON replenish.show_item FOR EACH STATEMENT
	EXECUTE FUNCTION replenish.show_changed();
COMMENT ON TRIGGER show_changed ON replenish.show IS
'Has the items that a changed row concerns decided again.';
COMMENT ON TRIGGER show_truncated ON replenish.show IS
'Has all items decided again.';
COMMENT ON TRIGGER show_item_changed ON replenish.show_item IS
'Has the item of a changed row decided again.';
COMMENT ON TRIGGER show_item_truncated ON replenish.show_item IS
'Has all items decided again.';
