---------------------------------------------------------------------------
-- Factors: what is known to make demand or lead times differ for some days.
---------------------------------------------------------------------------

CREATE TABLE replenish.factor (
	sku text COLLATE "C"
		CHECK (pg_catalog.octet_length(sku) BETWEEN 1 AND 255),
	location text COLLATE "C"
		CHECK (pg_catalog.octet_length(location) BETWEEN 1 AND 255),
	channel text COLLATE "C"
		CHECK (pg_catalog.octet_length(channel) BETWEEN 1 AND 255),
	applies_to text NOT NULL DEFAULT 'demand'
		CHECK (applies_to IN ('demand', 'lead_time')),
	factor float8 NOT NULL CHECK (factor >= 0 AND factor <= 1000),
	first_day date NOT NULL CHECK (pg_catalog.isfinite(first_day)),
	last_day date NOT NULL CHECK (pg_catalog.isfinite(last_day)),
	reason text NOT NULL,
	CHECK (first_day <= last_day),
	CHECK (applies_to = 'demand' OR factor > 0 AND channel IS NULL)
);
SELECT pg_catalog.pg_extension_config_dump('replenish.factor', '');
ALTER TABLE replenish.factor REPLICA IDENTITY FULL;
CREATE INDEX factor_last_day_idx ON replenish.factor (last_day);

COMMENT ON TABLE replenish.factor IS
'What the demand of some items, or their lead time, is multiplied by from first_day to last_day, both whole days of the location''s own time zone, and why: a season, a holiday, a closed port, a competitor, a trend. NULL in sku, location or channel is any; a channel''s factor moves its share of the demand. Rows that overlap multiply.';
COMMENT ON COLUMN replenish.factor.factor IS
'1 changes nothing; 0 to 1000 for demand, 0 being none at all, and above 0 for lead times.';
COMMENT ON COLUMN replenish.factor.applies_to IS
'demand (default) or lead_time: that of what is ordered in these days.';

CREATE FUNCTION replenish.channel_demand(sku text, location text,
	channel text) RETURNS replenish.demand
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, replenish, pg_temp
	SET plan_cache_mode = force_generic_plan AS $$
BEGIN
	RETURN (SELECT coalesce(item_demand_agg(d.demand, m.units), '{}')
		FROM raw_skus(channel_demand.sku) r
		JOIN item_demand d ON d.sku = r.sku
		CROSS JOIN LATERAL real_skus(d.sku, d.channel) m
		CROSS JOIN LATERAL real_location(d.location, d.channel) p
		WHERE d.channel = channel_demand.channel AND m.sku = channel_demand.sku
			AND p.location = channel_demand.location);
END $$;
COMMENT ON FUNCTION replenish.channel_demand(text, text, text) IS
'The demand summary of an item on one channel.';

CREATE FUNCTION replenish.channel_share(sku text, location text, channel text,
	demand replenish.demand, clock timestamptz) RETURNS float8
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, replenish, pg_temp AS $$
DECLARE
	whole float8 := demand_velocity(demand, clock, interval '28 days');
BEGIN
	RETURN CASE WHEN whole > 0 THEN least(1, greatest(0,
		demand_velocity(channel_demand(sku, location, channel), clock,
			interval '28 days') / whole)) ELSE 0 END;
END $$;
COMMENT ON FUNCTION replenish.channel_share(text, text, text, replenish.demand, timestamptz) IS
'Which share (0 to 1) of an item''s demand of the last 28 days came on a channel; 0 where it had none.';

-- A factor's own days were sold with it: the past is read without it.
CREATE FUNCTION replenish.factors_of(sku text, location text,
	clock timestamptz, INOUT demand replenish.demand,
	OUT outlook replenish.outlook[], OUT lead_time_factor float8,
	OUT changes_at timestamptz)
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, replenish, pg_temp
	SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
DECLARE
	raw demand := demand;
	f record;
	share float8;
	effect float8;
BEGIN
	FOR f IN
		SELECT r.*, r.first_day::timestamp AT TIME ZONE z.zone AS starts_at,
			(r.last_day + 1)::timestamp AT TIME ZONE z.zone AS ends_at
		FROM factor r
		CROSS JOIN (SELECT zone_of(factors_of.location) AS zone) z
		WHERE (r.sku = factors_of.sku OR r.sku IS NULL)
			AND (r.location = factors_of.location OR r.location IS NULL)
			AND r.last_day > (clock - interval '742 days')::date
			AND r.first_day < (clock + interval '368 days')::date
	LOOP
		IF f.starts_at > clock THEN
			changes_at := least(changes_at, f.starts_at);
		ELSIF f.ends_at > clock THEN
			changes_at := least(changes_at, f.ends_at);
		END IF;
		IF f.applies_to = 'lead_time' THEN
			IF clock >= f.starts_at AND clock < f.ends_at THEN
				lead_time_factor := coalesce(lead_time_factor, 1) * f.factor;
			END IF;
			CONTINUE;
		END IF;
		share := CASE WHEN f.channel IS NULL THEN 1
			ELSE channel_share(sku, location, f.channel, raw, clock) END;
		effect := 1 + share * (f.factor - 1);
		IF f.ends_at > clock THEN
			outlook := outlook
				|| (f.starts_at, f.ends_at, effect, NULL)::outlook;
		END IF;
		IF f.starts_at < clock AND effect > 0 THEN
			demand := demand_times(demand, 1 / effect, f.starts_at,
				least(f.ends_at, clock + interval '1 minute'));
		END IF;
	END LOOP;
END $$;
COMMENT ON FUNCTION replenish.factors_of(text, text, timestamptz, replenish.demand) IS
'What the rows of factor say of an item at the clock: its demand without them, the outlook with them, the product of those of its lead time (NULL where none is in force), and when that changes. Days of a factor of 0 are taken as they were.';

CREATE FUNCTION replenish.factor_changed() RETURNS trigger
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, replenish, pg_temp AS $$
BEGIN
	IF TG_OP = 'TRUNCATE' THEN
		PERFORM touch(NULL, NULL);
		RETURN NULL;
	END IF;
	IF TG_OP <> 'INSERT' THEN
		PERFORM touch_part(OLD.sku, OLD.location, OLD.channel);
	END IF;
	IF TG_OP <> 'DELETE' THEN
		PERFORM touch_part(NEW.sku, NEW.location, NEW.channel);
	END IF;
	RETURN NULL;
END $$;
COMMENT ON FUNCTION replenish.factor_changed() IS
'Trigger on factor: has the items that a changed row concerns decided again.';

CREATE TRIGGER factor_changed AFTER INSERT OR UPDATE OR DELETE
	ON replenish.factor FOR EACH ROW
	EXECUTE FUNCTION replenish.factor_changed();
CREATE TRIGGER factor_truncated AFTER TRUNCATE
	ON replenish.factor FOR EACH STATEMENT
	EXECUTE FUNCTION replenish.factor_changed();
COMMENT ON TRIGGER factor_changed ON replenish.factor IS
'Has the items that a changed row concerns decided again.';
COMMENT ON TRIGGER factor_truncated ON replenish.factor IS
'Has all items decided again.';
