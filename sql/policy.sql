---------------------------------------------------------------------------
-- Policy: the parameters of each item, from the most specific row that has
-- them, and which row that is.
---------------------------------------------------------------------------

CREATE TABLE replenish.channel (
	channel text COLLATE "C" PRIMARY KEY
		CHECK (pg_catalog.octet_length(channel) BETWEEN 1 AND 255),
	scenario text COLLATE "C" NOT NULL
		CHECK (pg_catalog.octet_length(scenario) BETWEEN 1 AND 255)
);
SELECT pg_catalog.pg_extension_config_dump('replenish.channel', '');

COMMENT ON TABLE replenish.channel IS
'How each channel sells: show, one_to_one, commerce, or a scenario of the shop''s own with a row in policy. A channel that is not here has none.';

CREATE FUNCTION replenish.main_channel(sku text, location text,
	clock timestamptz) RETURNS text
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, replenish, pg_temp
	SET plan_cache_mode = force_generic_plan AS $$
BEGIN
	RETURN (SELECT d.channel
		FROM raw_skus(main_channel.sku) r
		JOIN item_demand d ON d.sku = r.sku
		CROSS JOIN LATERAL real_skus(d.sku, d.channel) m
		CROSS JOIN LATERAL real_location(d.location, d.channel) p
		WHERE m.sku = main_channel.sku AND p.location = main_channel.location
		GROUP BY d.channel
		ORDER BY sum(demand_velocity(d.demand, clock, interval '28 days')
			* m.units) DESC NULLS LAST, d.channel LIMIT 1);
END $$;
COMMENT ON FUNCTION replenish.main_channel(text, text, timestamptz) IS
'The channel that an item sold most on in the 28 days before the clock, the first by name of several; NULL where it was never ordered.';

-- Where nobody has said anything else.
CREATE FUNCTION replenish.resolve_policy(sku text, location text,
	channel text DEFAULT NULL)
	RETURNS TABLE (service_level float8, lead_time interval, lead_time_sd interval, review_period interval, order_cycle interval, buffer float8, exit_margin float8, moq float8, multiple float8, maximum float8, fixed_threshold float8, assumed text[], burst_evidence float8, hold interval, holding_cost float8, rank_by text, surge_ratio float8,
		surge_cover interval, scenario text)
	LANGUAGE sql STABLE PARALLEL SAFE
	BEGIN ATOMIC
		SELECT coalesce(i.service_level, s.service_level, l.service_level, c.service_level, o.service_level,
				d.service_level, 0.95),
			coalesce(i.lead_time, s.lead_time, l.lead_time, c.lead_time, o.lead_time,
				d.lead_time, interval '30 days'),
			coalesce(i.lead_time_sd, s.lead_time_sd, l.lead_time_sd, c.lead_time_sd, o.lead_time_sd,
				d.lead_time_sd, interval '8 days'),
			coalesce(i.review_period, s.review_period, l.review_period, c.review_period, o.review_period,
				d.review_period, interval '7 days'),
			coalesce(i.order_cycle, s.order_cycle, l.order_cycle, c.order_cycle, o.order_cycle,
				d.order_cycle, interval '30 days'),
			coalesce(i.buffer, s.buffer, l.buffer, c.buffer, o.buffer,
				d.buffer, 0.25),
			coalesce(i.exit_margin, s.exit_margin, l.exit_margin, c.exit_margin, o.exit_margin,
				d.exit_margin, 0.1),
			coalesce(i.moq, s.moq, l.moq, c.moq, o.moq,
				d.moq),
			coalesce(i.multiple, s.multiple, l.multiple, c.multiple, o.multiple,
				d.multiple),
			coalesce(i.maximum, s.maximum, l.maximum, c.maximum, o.maximum,
				d.maximum, 'Infinity'),
			coalesce(i.fixed_threshold, s.fixed_threshold, l.fixed_threshold, c.fixed_threshold, o.fixed_threshold,
				d.fixed_threshold),
			pg_catalog.array_remove(ARRAY[
				CASE WHEN coalesce(i.service_level, s.service_level, l.service_level, c.service_level, o.service_level,
				d.service_level) IS NULL
					THEN 'service_level' END,
				CASE WHEN coalesce(i.lead_time, s.lead_time, l.lead_time, c.lead_time, o.lead_time,
				d.lead_time) IS NULL
					THEN 'lead_time' END,
				CASE WHEN coalesce(i.lead_time_sd, s.lead_time_sd, l.lead_time_sd, c.lead_time_sd, o.lead_time_sd,
				d.lead_time_sd) IS NULL
					THEN 'lead_time_sd' END,
				CASE WHEN coalesce(i.review_period, s.review_period, l.review_period, c.review_period, o.review_period,
				d.review_period) IS NULL
					THEN 'review_period' END,
				CASE WHEN coalesce(i.order_cycle, s.order_cycle, l.order_cycle, c.order_cycle, o.order_cycle,
				d.order_cycle) IS NULL
					THEN 'order_cycle' END,
				CASE WHEN coalesce(i.buffer, s.buffer, l.buffer, c.buffer, o.buffer,
				d.buffer) IS NULL
					THEN 'buffer' END], NULL),
			coalesce(i.burst_evidence, s.burst_evidence, l.burst_evidence, c.burst_evidence, o.burst_evidence,
				d.burst_evidence, 22),
			coalesce(i.hold, s.hold, l.hold, c.hold, o.hold,
				d.hold, interval '0'),
			coalesce(i.holding_cost, s.holding_cost, l.holding_cost, c.holding_cost, o.holding_cost,
				d.holding_cost),
			coalesce(i.rank_by, s.rank_by, l.rank_by, c.rank_by, o.rank_by,
				d.rank_by, 'units'),
			coalesce(i.surge_ratio, s.surge_ratio, l.surge_ratio, c.surge_ratio,
				o.surge_ratio, d.surge_ratio, 1.5),
			coalesce(i.surge_cover, s.surge_cover, l.surge_cover, c.surge_cover,
				o.surge_cover, d.surge_cover, interval '3 days'),
			n.scenario
		FROM (VALUES (1)) one
		LEFT JOIN replenish.channel n ON n.channel = resolve_policy.channel
		LEFT JOIN replenish.policy i
			ON i.sku = resolve_policy.sku
			AND i.location = resolve_policy.location
		LEFT JOIN replenish.policy s
			ON s.sku = resolve_policy.sku AND s.location IS NULL
		LEFT JOIN replenish.policy l
			ON l.sku IS NULL AND l.location = resolve_policy.location
		LEFT JOIN replenish.policy c
			ON c.sku IS NULL AND c.location IS NULL
			AND c.channel = resolve_policy.channel
		LEFT JOIN replenish.policy o
			ON o.sku IS NULL AND o.location IS NULL AND o.channel IS NULL
			AND o.scenario = n.scenario
		LEFT JOIN replenish.policy d
			ON d.sku IS NULL AND d.location IS NULL AND d.channel IS NULL
			AND d.scenario IS NULL;
	END;
COMMENT ON FUNCTION replenish.resolve_policy(text, text, text) IS
'The parameters in force for an item that sells most on the channel, each from the most specific row of policy, else the default (moq, multiple, fixed_threshold and holding_cost have none: NULL); assumed names those that are in no row. scenario is the channel''s.';

CREATE FUNCTION replenish.policy_rows(sku text, location text, channel text)
	RETURNS TABLE (parameter text, source text)
	LANGUAGE sql STABLE PARALLEL SAFE
	BEGIN ATOMIC
		SELECT DISTINCT ON (f.key) f.key, k.name
		FROM replenish.policy p
		LEFT JOIN replenish.channel n ON n.channel = policy_rows.channel
		CROSS JOIN LATERAL (SELECT CASE
			WHEN p.sku = policy_rows.sku AND p.location = policy_rows.location
				THEN 1
			WHEN p.sku = policy_rows.sku AND p.location IS NULL THEN 2
			WHEN p.sku IS NULL AND p.location = policy_rows.location THEN 3
			WHEN p.sku IS NULL AND p.location IS NULL
				AND p.channel = policy_rows.channel THEN 4
			WHEN p.sku IS NULL AND p.location IS NULL AND p.channel IS NULL
				AND p.scenario = n.scenario THEN 5
			WHEN pg_catalog.num_nonnulls(p.sku, p.location, p.channel,
				p.scenario) = 0 THEN 6 END AS rank) r
		CROSS JOIN LATERAL (SELECT CASE r.rank
			WHEN 1 THEN 'policy of the item'
			WHEN 2 THEN 'policy of SKU ' || p.sku
			WHEN 3 THEN 'policy of location ' || p.location
			WHEN 4 THEN 'policy of channel ' || p.channel
			WHEN 5 THEN 'policy of scenario ' || p.scenario
			ELSE 'policy of all' END AS name) k
		CROSS JOIN LATERAL pg_catalog.jsonb_each_text(pg_catalog.to_jsonb(p)) f
		WHERE r.rank IS NOT NULL AND f.value IS NOT NULL
		ORDER BY f.key, r.rank;
	END;
COMMENT ON FUNCTION replenish.policy_rows(text, text, text) IS
'Which row of policy each parameter of an item that sells most on the channel comes from, as resolve_policy() takes them; none for defaults.';

CREATE FUNCTION replenish.touch_policy(sku text, location text, channel text,
	scenario text) RETURNS void
	LANGUAGE plpgsql VOLATILE
	SET search_path = pg_catalog, replenish, pg_temp AS $$
BEGIN
	IF touch_policy.scenario IS NOT NULL THEN
		PERFORM append(0, 0, 0, 't', c.channel, '', 'leads')
		FROM channel c WHERE c.scenario = touch_policy.scenario;
	ELSIF touch_policy.channel IS NOT NULL THEN
		PERFORM append(0, 0, 0, 't', touch_policy.channel, '', 'leads');
	ELSE
		PERFORM touch(touch_policy.sku, touch_policy.location);
	END IF;
	PERFORM wake();
END $$;
COMMENT ON FUNCTION replenish.touch_policy(text, text, text, text) IS
'Has the items that a row of policy with these keys is for decided again at the next tick.';

CREATE FUNCTION replenish.channel_changed() RETURNS trigger
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, replenish, pg_temp AS $$
BEGIN
	IF TG_OP = 'TRUNCATE' THEN
		PERFORM touch(NULL, NULL);
		RETURN NULL;
	END IF;
	IF TG_OP <> 'INSERT' THEN
		PERFORM touch_policy(NULL, NULL, OLD.channel, NULL);
	END IF;
	IF TG_OP <> 'DELETE' THEN
		PERFORM touch_policy(NULL, NULL, NEW.channel, NULL);
	END IF;
	RETURN NULL;
END $$;
COMMENT ON FUNCTION replenish.channel_changed() IS
'Trigger on channel: has the items that sell most on a changed one decided again.';

CREATE TRIGGER channel_changed AFTER INSERT OR UPDATE OR DELETE
	ON replenish.channel FOR EACH ROW
	EXECUTE FUNCTION replenish.channel_changed();
CREATE TRIGGER channel_truncated AFTER TRUNCATE
	ON replenish.channel FOR EACH STATEMENT
	EXECUTE FUNCTION replenish.channel_changed();
COMMENT ON TRIGGER channel_changed ON replenish.channel IS
'Has the items that sell most on a changed channel decided again.';
COMMENT ON TRIGGER channel_truncated ON replenish.channel IS
'Has all items decided again.';

CREATE FUNCTION replenish.policy_written() RETURNS trigger
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, replenish, pg_temp AS $$
BEGIN
	IF TG_OP = 'INSERT' AND NEW.scenario IS NOT NULL THEN
		DELETE FROM policy p WHERE p.scenario = NEW.scenario AND p.built_in;
	END IF;
	NEW.built_in := false;
	RETURN NEW;
END $$;
COMMENT ON FUNCTION replenish.policy_written() IS
'Trigger on policy: a row that somebody writes is not built in any more, and replaces the built-in one of its scenario.';

CREATE TRIGGER policy_written BEFORE INSERT OR UPDATE
	ON replenish.policy FOR EACH ROW
	EXECUTE FUNCTION replenish.policy_written();
COMMENT ON TRIGGER policy_written ON replenish.policy IS
'A row that somebody writes is not built in any more, and replaces the built-in one of its scenario.';
