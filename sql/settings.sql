---------------------------------------------------------------------------
-- Settings: tables that a shop edits with plain SQL.
---------------------------------------------------------------------------

CREATE FUNCTION replenish.is_time_zone(name text) RETURNS boolean
	LANGUAGE sql STABLE STRICT PARALLEL SAFE
	BEGIN ATOMIC
		SELECT EXISTS (SELECT FROM pg_catalog.pg_timezone_names z
			WHERE z.name = is_time_zone.name);
	END;
COMMENT ON FUNCTION replenish.is_time_zone(text) IS
'Whether a name is in pg_timezone_names. PostgreSQL itself also accepts POSIX strings such as FOO+3, with the sign reversed, which nobody means.';

CREATE TABLE replenish.location (
	location text COLLATE "C" PRIMARY KEY
		CHECK (pg_catalog.octet_length(location) BETWEEN 1 AND 255),
	time_zone text NOT NULL CHECK (replenish.is_time_zone(time_zone)),
	cut_off time
);
SELECT pg_catalog.pg_extension_config_dump('replenish.location', '');

COMMENT ON TABLE replenish.location IS
'Warehouses. time_zone gives moments without a zone their meaning, as it is when the table that holds them is watched. The location of rows that name none is ''default''.';
COMMENT ON COLUMN replenish.location.cut_off IS
'Local time after which what is ordered for the location leaves a day later; NULL is none.';

CREATE FUNCTION replenish.is_span(span interval) RETURNS boolean
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
	BEGIN ATOMIC
		SELECT pg_catalog.date_part('year', span) = 0
			AND pg_catalog.date_part('month', span) = 0
			AND span >= interval '0';
	END;
COMMENT ON FUNCTION replenish.is_span(interval) IS
'Whether an interval is a length of time: not negative, and without months, which have no fixed length.';

CREATE TABLE replenish.policy (
	sku text COLLATE "C"
		CHECK (pg_catalog.octet_length(sku) BETWEEN 1 AND 255),
	location text COLLATE "C"
		CHECK (pg_catalog.octet_length(location) BETWEEN 1 AND 255),
	service_level float8 CHECK (service_level > 0 AND service_level < 1),
	lead_time interval CHECK (replenish.is_span(lead_time)
		AND lead_time <= interval '366 days'),
	lead_time_sd interval CHECK (replenish.is_span(lead_time_sd)
		AND lead_time_sd <= interval '366 days'),
	review_period interval CHECK (replenish.is_span(review_period)
		AND review_period <= interval '366 days'),
	order_cycle interval CHECK (replenish.is_span(order_cycle)
		AND order_cycle <= interval '366 days'),
	buffer float8 CHECK (buffer >= 0 AND buffer <= 10),
	exit_margin float8 CHECK (exit_margin >= 0 AND exit_margin <= 1),
	moq float8 CHECK (moq >= 0 AND moq <= 1e12),
	multiple float8 CHECK (multiple >= 0 AND multiple <= 1e12),
	maximum float8 CHECK (maximum > 0 AND maximum < 'NaN'),
	fixed_threshold float8 CHECK (fixed_threshold >= 0
		AND fixed_threshold <= 1e12),
	CHECK (maximum >= moq),
	CHECK (lead_time + review_period <= interval '366 days'),
	channel text COLLATE "C"
		CHECK (pg_catalog.octet_length(channel) BETWEEN 1 AND 255),
	scenario text COLLATE "C"
		CHECK (pg_catalog.octet_length(scenario) BETWEEN 1 AND 255),
	burst_evidence float8 CHECK (burst_evidence >= 4
		AND burst_evidence <= 1000),
	hold interval CHECK (replenish.is_span(hold)
		AND hold <= interval '366 days'),
	holding_cost float8 CHECK (holding_cost >= 0 AND holding_cost <= 100),
	rank_by text CHECK (rank_by IN ('units', 'money', 'turnover')),
	surge_ratio float8 CHECK (surge_ratio > 0 AND surge_ratio <= 1000),
	surge_cover interval CHECK (replenish.is_span(surge_cover)
		AND surge_cover <= interval '366 days'),
	built_in boolean NOT NULL DEFAULT false,
	UNIQUE NULLS NOT DISTINCT (sku, location, channel, scenario),
	CHECK (pg_catalog.num_nonnulls(channel, scenario)
		+ (pg_catalog.num_nonnulls(sku, location) > 0)::integer <= 1)
);
-- what is as it was made is made again
SELECT pg_catalog.pg_extension_config_dump('replenish.policy',
	'WHERE NOT built_in');
-- without a primary key, or nobody could change it where all tables are published
ALTER TABLE replenish.policy REPLICA IDENTITY FULL;

COMMENT ON TABLE replenish.policy IS
'The parameters of decisions. A row is for an item (sku and location), a SKU, a location, a channel, a scenario, or with all four NULL for all; each field is taken from the most specific row in this order where it is not NULL, and what is in none is the built-in default. The channel of an item is the one that it sold most on in the last 28 days, its scenario is that of the channel.';
COMMENT ON COLUMN replenish.policy.service_level IS
'Probability of not selling out while a replenishment is on its way; default 0.95.';
COMMENT ON COLUMN replenish.policy.lead_time IS
'Mean time from ordering a replenishment to having it on the shelf; default 30 days.';
COMMENT ON COLUMN replenish.policy.lead_time_sd IS
'Standard deviation of the lead time; default 8 days.';
COMMENT ON COLUMN replenish.policy.review_period IS
'Time between two looks at whether to order; default 7 days.';
COMMENT ON COLUMN replenish.policy.order_cycle IS
'Time that one order is to last beyond the threshold; default 30 days.';
COMMENT ON COLUMN replenish.policy.buffer IS
'Share added to what is ordered, against delays; default 0.25.';
COMMENT ON COLUMN replenish.policy.exit_margin IS
'Share by which a line must be passed before the tier gets better; default 0.1.';
COMMENT ON COLUMN replenish.policy.moq IS
'Smallest quantity that can be ordered, in units; default 0.';
COMMENT ON COLUMN replenish.policy.multiple IS
'Pack size: orders are multiples of it, in units; default 1, whole units; 0 is any quantity.';
COMMENT ON COLUMN replenish.policy.maximum IS
'Largest quantity of one order, in units; default none.';
COMMENT ON COLUMN replenish.policy.fixed_threshold IS
'A threshold in units that replaces the computed one; default none.';

COMMENT ON COLUMN replenish.policy.channel IS
'A row for the items that sell most on this channel.';
COMMENT ON COLUMN replenish.policy.scenario IS
'A row for the channels that the table channel gives this scenario; show, one_to_one and commerce are there from the start.';
COMMENT ON COLUMN replenish.policy.burst_evidence IS
'How sure the minutes of the last hour must be before they make a burst, see burst_velocity(); default 22.';
COMMENT ON COLUMN replenish.policy.hold IS
'How long a tier stays after it became worse before it may get better, unless the position reaches the target; default none.';
COMMENT ON COLUMN replenish.policy.holding_cost IS
'What holding a unit for a year costs, as a share of its cost. Where it is set, price and cost are known and no row has a service_level, that is 1 - holding_cost * cost * order_cycle / (price - cost), a year being 365 days, within 0.5 and 0.995; default none.';
COMMENT ON COLUMN replenish.policy.rank_by IS
'What status.priority is: units, money or turnover; default units.';
COMMENT ON COLUMN replenish.policy.surge_ratio IS
'Viewers of a room over what is usual there from which on, if the shelf lasts surge_cover or less as well, replenishment starts at once; default 1.5.';
COMMENT ON COLUMN replenish.policy.surge_cover IS
'See surge_ratio; default 3 days.';
COMMENT ON COLUMN replenish.policy.built_in IS
'Whether the row is as CREATE EXTENSION made it: not dumped, and replaced by any row of the same scenario that is inserted.';

CREATE FUNCTION replenish.make_scenarios() RETURNS void
	LANGUAGE sql VOLATILE
	BEGIN ATOMIC
		INSERT INTO replenish.policy (scenario, burst_evidence, hold,
			review_period, order_cycle, holding_cost, rank_by, built_in)
		VALUES
			('show', 12, interval '0', interval '1 day', interval '14 days',
				0.6, 'money', true),
			('one_to_one', 22, interval '15 minutes', interval '3 days',
				interval '30 days', 0.3, 'units', true),
			('commerce', 40, interval '6 hours', interval '7 days',
				interval '30 days', 0.25, 'turnover', true);
	END;
COMMENT ON FUNCTION replenish.make_scenarios() IS
'Makes the rows of policy for the scenarios show, one_to_one and commerce. For CREATE EXTENSION only.';
SELECT replenish.make_scenarios();

-- A change of policy is felt at the next tick by the items that it concerns.
CREATE FUNCTION replenish.policy_changed() RETURNS trigger
	LANGUAGE plpgsql SECURITY DEFINER
	SET search_path = pg_catalog, replenish, pg_temp AS $$
BEGIN
	IF TG_OP = 'TRUNCATE' THEN
		PERFORM touch(NULL, NULL);
		RETURN NULL;
	END IF;
	IF TG_OP <> 'INSERT' THEN
		PERFORM touch_policy(OLD.sku, OLD.location, OLD.channel, OLD.scenario);
	END IF;
	IF TG_OP <> 'DELETE' THEN
		PERFORM touch_policy(NEW.sku, NEW.location, NEW.channel, NEW.scenario);
	END IF;
	RETURN NULL;
END $$;
COMMENT ON FUNCTION replenish.policy_changed() IS
'Trigger on policy: has the items that a changed row concerns decided again.';

CREATE TRIGGER policy_changed AFTER INSERT OR UPDATE OR DELETE
	ON replenish.policy FOR EACH ROW
	EXECUTE FUNCTION replenish.policy_changed();
CREATE TRIGGER policy_truncated AFTER TRUNCATE
	ON replenish.policy FOR EACH STATEMENT
	EXECUTE FUNCTION replenish.policy_changed();

COMMENT ON TRIGGER policy_changed ON replenish.policy IS
'Has the items that a changed row concerns decided again.';
COMMENT ON TRIGGER policy_truncated ON replenish.policy IS
'Has all items decided again.';
