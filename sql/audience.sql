---------------------------------------------------------------------------
-- Audience: how full each room is for the hour, and what that does to the next
-- hours of what it sells.
---------------------------------------------------------------------------

CREATE TYPE replenish.room_key AS (
	sku text COLLATE "C",
	channel text COLLATE "C"
);
COMMENT ON TYPE replenish.room_key IS
'A room: a channel, or the part of it that shows one SKU; blank is all of them.';

CREATE TABLE replenish.room_audience (
	channel text COLLATE "C" NOT NULL,
	sku text COLLATE "C" NOT NULL,
	measure text COLLATE "C" NOT NULL,
	source integer NOT NULL,
	counts replenish.demand NOT NULL,
	PRIMARY KEY (channel, sku, measure, source)
) WITH (fillfactor = 70);
SELECT pg_catalog.pg_extension_config_dump('replenish.room_audience', '');

COMMENT ON TABLE replenish.room_audience IS
'The viewers that were counted in each room (measure viewers) and how many counts there were (samples), summed over time as demand is; sku is blank where the room shows all that its channel sells.';

-- What was found when it was last looked at, and what the hours have taught.
CREATE TABLE replenish.room_state (
	channel text COLLATE "C" NOT NULL,
	sku text COLLATE "C" NOT NULL,
	viewers float8,
	usual float8,
	ratio float8,
	seen_at timestamptz NOT NULL,
	used_ratio float8,
	used_at timestamptz,
	learnt_until timestamptz,
	evidence float8 NOT NULL DEFAULT 0,
	moved_with float8 NOT NULL DEFAULT 0,
	PRIMARY KEY (channel, sku)
) WITH (fillfactor = 70);
SELECT pg_catalog.pg_extension_config_dump('replenish.room_state', '');

COMMENT ON TABLE replenish.room_state IS
'What the decider found of each room when its last count came; used_ratio is what its items were last decided with. evidence is the sum of ln(viewers / usual)^2 over the hours until learnt_until, moved_with that of ln(viewers / usual) * ln(sold / expected). Read it through the view room.';

CREATE FUNCTION replenish.room_counts(channel text, sku text, measure text)
	RETURNS replenish.demand
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, replenish, pg_temp
	SET plan_cache_mode = force_generic_plan AS $$
BEGIN
	RETURN (SELECT coalesce(item_demand_agg(a.counts, 1), '{}')
		FROM room_audience a
		WHERE a.channel = room_counts.channel AND a.sku = room_counts.sku
			AND a.measure = room_counts.measure);
END $$;
COMMENT ON FUNCTION replenish.room_counts(text, text, text) IS
'The viewers of a room, or how many counts of them there were, over time.';

-- Each hour in which somebody counted is one observation, however often.
CREATE FUNCTION replenish.usual_viewers(viewers replenish.demand,
	samples replenish.demand, at timestamptz) RETURNS float8
	LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
	SET search_path = pg_catalog, replenish, pg_temp
	SET plan_cache_mode = force_generic_plan AS $$
BEGIN
	RETURN (SELECT CASE WHEN count(*) >= 3 THEN
			(coalesce(sum(h.mean) FILTER (WHERE h.same), 0) + 2 * avg(h.mean))
			/ (count(*) FILTER (WHERE h.same) + 2) END
		FROM (SELECT v.units / s.units AS mean,
				extract(hour FROM s.bucket AT TIME ZONE 'UTC')
					= extract(hour FROM usual_viewers.at AT TIME ZONE 'UTC')
					AS same
			FROM demand_buckets(samples) s
			LEFT JOIN demand_buckets(viewers) v
				ON v.resolution = s.resolution AND v.bucket = s.bucket
			WHERE s.resolution = '1 hour' AND s.units > 0
				AND v.units IS NOT NULL
				AND s.bucket < date_trunc('hour', usual_viewers.at, 'UTC')
					- interval '1 hour'
				AND s.bucket >= date_trunc('hour', usual_viewers.at, 'UTC')
					- interval '7 days') h);
END $$;
COMMENT ON FUNCTION replenish.usual_viewers(replenish.demand, replenish.demand, timestamptz) IS
'How many viewers are usual in a room at the hour of a moment: the mean of the hours of the last seven days at the same time of day, leaning on the mean of all hours with as much weight as two of them. Only hours in which somebody counted; the present hour and the one before are left out. NULL with fewer than three.';

CREATE FUNCTION replenish.present_viewers(viewers replenish.demand,
	samples replenish.demand, usual float8, at timestamptz) RETURNS float8
	LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
	SET search_path = pg_catalog, replenish, pg_temp
	SET plan_cache_mode = force_generic_plan AS $$
BEGIN
	RETURN (SELECT sum(w.weight * least(m.mean, 10 * usual)) / sum(w.weight)
		FROM (SELECT s.bucket, coalesce(v.units, 0) / s.units AS mean
			FROM demand_buckets(samples) s
			LEFT JOIN demand_buckets(viewers) v
				ON v.resolution = s.resolution AND v.bucket = s.bucket
			WHERE s.resolution = '1 minute' AND s.units > 0
				AND s.bucket > present_viewers.at - interval '10 minutes'
				AND s.bucket <= present_viewers.at) m
		CROSS JOIN LATERAL (SELECT 0.5 ^ (extract(epoch
			FROM present_viewers.at - m.bucket)::float8 / 120) AS weight) w);
END $$;
COMMENT ON FUNCTION replenish.present_viewers(replenish.demand, replenish.demand, float8, timestamptz) IS
'The viewers of a room now: the mean of the last ten minutes in which somebody counted, the weight of each halving every two minutes; a minute of more than ten times the usual counts as that. NULL where nobody counted.';

CREATE FUNCTION replenish.elasticity(evidence float8, moved_with float8)
	RETURNS float8
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	BEGIN ATOMIC
		SELECT least(3, greatest(0, (4 + moved_with) / (4 + evidence)));
	END;
COMMENT ON FUNCTION replenish.elasticity(float8, float8) IS
'By how many per cent sales move when viewers move by one: (4 + moved_with) / (4 + evidence), within 0 and 3: the least squares of the hours'' logarithms, begun as if four hours with e times the viewers had sold e times as much.';

CREATE FUNCTION replenish.room_items(channel text, sku text)
	RETURNS SETOF replenish.item_key
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, replenish, pg_temp
	SET enable_seqscan = off AS $$
#variable_conflict use_column
BEGIN
	RETURN QUERY SELECT DISTINCT m.sku, p.location
	FROM item_demand d
	CROSS JOIN LATERAL real_skus(d.sku, d.channel) m
	CROSS JOIN LATERAL real_location(d.location, d.channel) p
	WHERE d.channel = room_items.channel
		AND (room_items.sku = '' OR m.sku = room_items.sku);
END $$;
COMMENT ON FUNCTION replenish.room_items(text, text) IS
'The items that a room sells: those that were ordered on its channel, or the one SKU that it shows.';

-- An hour is learnt from once it and its orders are in.
CREATE FUNCTION replenish.learn_from_room(state replenish.room_state,
	viewers replenish.demand, samples replenish.demand, clock timestamptz)
	RETURNS replenish.room_state
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, replenish, pg_temp AS $$
DECLARE
	hour timestamptz := date_trunc('hour', clock - interval '5 minutes', 'UTC')
		- interval '1 hour';
	usual float8;
	mean float8;
	sold float8;
	expected float8;
	x float8;
BEGIN
	IF state.learnt_until > hour THEN
		RETURN state;
	END IF;
	state.learnt_until := hour + interval '1 hour';
	usual := usual_viewers(viewers, samples, hour);
	mean := demand_velocity(viewers, hour + interval '1 hour', interval '1 hour')
		/ nullif(demand_velocity(samples, hour + interval '1 hour',
			interval '1 hour'), 0);
	IF coalesce(usual, 0) <= 0 OR coalesce(mean, 0) <= 0 THEN
		RETURN state;
	END IF;
	SELECT sum(m.units * demand_velocity(d.demand, hour + interval '1 hour',
			interval '1 hour')),
		sum(m.units * (demand_forecast(d.demand, hour,
			interval '1 hour')).mean)
	FROM item_demand d
	CROSS JOIN LATERAL real_skus(d.sku, d.channel) m
	WHERE d.channel = state.channel AND (state.sku = '' OR m.sku = state.sku)
	INTO sold, expected;
	IF sold >= 0 AND expected > 0 THEN
		x := ln(least(10, greatest(0.1, mean / usual)));
		state.evidence := state.evidence + x ^ 2;
		-- half a unit more on both sides: an hour may sell nothing
		state.moved_with := state.moved_with
			+ x * ln((sold + 0.5) / (expected + 0.5));
	END IF;
	RETURN state;
END $$;
COMMENT ON FUNCTION replenish.learn_from_room(replenish.room_state, replenish.demand, replenish.demand, timestamptz) IS
'The state of a room with what its last full hour says of how sales move with viewers, once for each hour. For the decider only.';

-- A count a second is no reason to decide all that a room sells each second.
CREATE FUNCTION replenish.look_into_rooms(rooms replenish.room_key[],
	clock timestamptz) RETURNS SETOF replenish.item_key
	LANGUAGE plpgsql VOLATILE
	SET search_path = pg_catalog, replenish, pg_temp
	SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
DECLARE
	k room_key;
	state room_state;
	viewers demand;
	samples demand;
	limits float8[] := ARRAY(SELECT DISTINCT p.surge_ratio FROM policy p
		WHERE p.surge_ratio IS NOT NULL UNION SELECT 1.5);
	-- what its items were decided with is nothing any more
	before float8;
BEGIN
	FOREACH k IN ARRAY rooms LOOP
		SELECT * FROM room_state r
		WHERE r.channel = k.channel AND r.sku = k.sku INTO state;
		state.channel := k.channel;
		state.sku := k.sku;
		state.evidence := coalesce(state.evidence, 0);
		state.moved_with := coalesce(state.moved_with, 0);
		viewers := room_counts(k.channel, k.sku, 'viewers');
		samples := room_counts(k.channel, k.sku, 'samples');
		before := CASE WHEN state.seen_at > clock - interval '10 minutes'
			THEN coalesce(state.used_ratio, 1) ELSE 1 END;
		state := learn_from_room(state, viewers, samples, clock);
		-- the usual of an hour does not change within it
		IF state.usual IS NULL OR date_trunc('hour', state.seen_at, 'UTC')
				IS DISTINCT FROM date_trunc('hour', clock, 'UTC') THEN
			state.usual := usual_viewers(viewers, samples, clock);
		END IF;
		state.viewers := present_viewers(viewers, samples,
			coalesce(state.usual, 'Infinity'), clock);
		state.ratio := least(10, greatest(0.1,
			state.viewers / nullif(state.usual, 0)));
		IF state.viewers IS NOT NULL THEN
			state.seen_at := clock;
		END IF;
		IF state.ratio IS NOT NULL AND (
				abs(ln(state.ratio / before)) >= 0.1 AND coalesce(
					state.used_at <= clock - interval '1 minute', true)
				OR EXISTS (SELECT FROM unnest(limits) l (at)
					WHERE (state.ratio >= l.at) <> (before >= l.at))) THEN
			state.used_ratio := state.ratio;
			state.used_at := clock;
			RETURN QUERY SELECT i.* FROM room_items(k.channel, k.sku) i;
		END IF;
		CONTINUE WHEN state.seen_at IS NULL;
		INSERT INTO room_state AS r VALUES (state.*)
		ON CONFLICT ON CONSTRAINT room_state_pkey DO UPDATE
			SET viewers = excluded.viewers, usual = excluded.usual,
				ratio = excluded.ratio, seen_at = excluded.seen_at,
				used_ratio = excluded.used_ratio, used_at = excluded.used_at,
				learnt_until = excluded.learnt_until,
				evidence = excluded.evidence, moved_with = excluded.moved_with;
	END LOOP;
END $$;
COMMENT ON FUNCTION replenish.look_into_rooms(replenish.room_key[], timestamptz) IS
'Looks at rooms in which somebody counted and returns the items that are to be decided for it: where the ratio of viewers to the usual moved by 10 % since they last were (once a minute at most), or passed a surge_ratio. For the decider only.';

CREATE FUNCTION replenish.audience_of(sku text, location text,
	clock timestamptz, demand replenish.demand, OUT channel text,
	OUT ratio float8, OUT elasticity float8, OUT share float8,
	OUT silent_at timestamptz)
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, replenish, pg_temp
	SET enable_seqscan = off
	SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
BEGIN
	SELECT r.channel, r.ratio, elasticity(r.evidence, r.moved_with), h.share,
		r.seen_at + interval '10 minutes'
	-- its few channels, not the many rooms
	FROM (SELECT DISTINCT d.channel FROM raw_skus(audience_of.sku) k
		JOIN item_demand d ON d.sku = k.sku) c
	JOIN room_state r ON r.channel = c.channel
		AND r.sku IN ('', audience_of.sku) AND r.ratio IS NOT NULL
		AND r.seen_at > clock - interval '10 minutes'
	CROSS JOIN LATERAL (SELECT channel_share(audience_of.sku, location,
		r.channel, demand, clock) AS share) h
	WHERE h.share > 0
	ORDER BY h.share DESC, r.sku DESC, r.channel LIMIT 1
	INTO channel, ratio, elasticity, share, silent_at;
END $$;
COMMENT ON FUNCTION replenish.audience_of(text, text, timestamptz, replenish.demand) IS
'The room that an item sells most in, if somebody counted there in the last ten minutes, its own before the channel''s: viewers over what is usual (0.1 to 10), the elasticity of the room''s sales, the room''s share of the item''s demand, and when the room is silent if nobody counts again. NULL without one.';
