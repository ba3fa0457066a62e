---------------------------------------------------------------------------
-- Suggesting: which tables are orders and stock, and how they are to be watched.
---------------------------------------------------------------------------

-- Why a status does not count; some words mean it beside others only.
CREATE FUNCTION replenish.status_excluded(status text, others text[])
	RETURNS text
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	BEGIN ATOMIC
		SELECT coalesce(replenish.status_meaning(status),
			CASE WHEN status = 'sent' AND 'sale' = ANY (others)
					THEN 'a quotation'
				WHEN status = 'closed' AND 'complete' = ANY (others)
					THEN 'returned' END);
	END;
COMMENT ON FUNCTION replenish.status_excluded(text, text[]) IS
'As status_meaning(), with a look at the other statuses: sent is a quotation beside sale, closed is returned beside complete.';

-- The table that has the rest of a line's order.
CREATE FUNCTION replenish.suggest_header(lines regclass,
	columns replenish.role_column[], OUT header regclass, OUT header_key name,
	OUT why text)
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, replenish, pg_temp AS $$
DECLARE
	c record;
	share float8;
	best float8 := 0;
BEGIN
	FOR c IN
		WITH useful AS (
			-- headers say when and in which state, lines what
			SELECT u.relation, sum(u.score) AS score FROM (
				SELECT m.relation, max(m.score) AS score
				FROM unnest(columns) m
				WHERE m.role IN ('at', 'status') AND m.relation <> lines
				GROUP BY m.relation, m.role) u
			GROUP BY u.relation
		)
		SELECT k.attname AS key, u.relation, r.attname AS id, true AS is_fk,
			u.score
		FROM pg_constraint f
		JOIN useful u ON u.relation = f.confrelid
		JOIN pg_attribute k ON k.attrelid = f.conrelid
			AND k.attnum = f.conkey[1]
		JOIN pg_attribute r ON r.attrelid = f.confrelid
			AND r.attnum = f.confkey[1]
		WHERE f.contype = 'f' AND f.conrelid = lines
			AND cardinality(f.conkey) = 1
		UNION ALL
		-- a column of the same name, else the primary key of a table of orders
		SELECT l.col, u.relation, i.attname, false, u.score
		FROM unnest(columns) l
		JOIN useful u ON table_meaning((SELECT o.relname FROM pg_class o
			WHERE o.oid = u.relation)) = 'orders'
		CROSS JOIN LATERAL (SELECT a.attname FROM pg_attribute a
			WHERE a.attrelid = u.relation AND a.attnum > 0
				AND NOT a.attisdropped AND (a.attname = l.col
				OR EXISTS (SELECT FROM pg_index p
					WHERE p.indrelid = u.relation AND p.indisprimary
						AND p.indnkeyatts = 1 AND p.indkey[0] = a.attnum))
			ORDER BY a.attname = l.col DESC LIMIT 1) i
		WHERE l.relation = lines AND l.role = 'header'
			-- the other may be a table of lines itself
			AND NOT EXISTS (SELECT FROM unnest(columns) q
				WHERE q.relation = u.relation AND q.role = 'qty'
					AND q.score > 6)
		ORDER BY 4 DESC, 5 DESC, 2, 1
	LOOP
		share := CASE WHEN c.is_fk THEN 1
			ELSE key_overlap(lines, c.key, c.relation, c.id) END;
		CONTINUE WHEN share < 0.5 OR coalesce(share, 0.5) * c.score <= best;
		best := coalesce(share, 0.5) * c.score;
		header := c.relation;
		header_key := c.key;
		why := format(CASE WHEN c.is_fk THEN 'it refers to %s.%I'
			WHEN share IS NULL THEN 'its name is that of %s.%I'
			ELSE '%3$s %% of its values are in %1$s.%2$I' END,
			c.relation, c.id, round(100 * share));
	END LOOP;
END $$;
COMMENT ON FUNCTION replenish.suggest_header(regclass, replenish.role_column[]) IS
'The table with the headers of a table of lines, by a foreign key or by names and values, and why; NULL where there is none. For suggest_orders().';

CREATE FUNCTION replenish.suggest_status(relation regclass, col name,
	OUT counted text[], OUT why text)
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, replenish, pg_temp AS $$
DECLARE
	known text[];
	nulls float8;
	excluded text;
BEGIN
	SELECT * FROM status_values(relation, col) INTO known, nulls;
	IF known IS NULL OR cardinality(known) > 40 OR nulls > 0.2 THEN
		why := format('%I is left out: %s', col, CASE WHEN known IS NULL
				THEN 'it has no values yet to tell which count'
			WHEN nulls > 0.2 THEN format('%s %% of the rows have none, and would not be counted',
				round(100 * nulls))
			ELSE format('%s values are too many for a status', cardinality(known)) END);
		RETURN;
	END IF;
	SELECT array_agg(v ORDER BY v) FILTER (WHERE x.reason IS NULL),
		string_agg(format('%s (%s)', v, x.reason), ', ' ORDER BY v)
			FILTER (WHERE x.reason IS NOT NULL)
	FROM unnest(known) v
	CROSS JOIN LATERAL status_excluded(v, known) x (reason)
	INTO counted, excluded;
	IF counted IS NULL THEN
		why := format('%I is left out: by their names none of its values is a sale: %s',
			col, excluded);
		RETURN;
	END IF;
	why := 'a status by its name. ' || CASE
		WHEN excluded IS NOT NULL THEN 'Not counted: ' || excluded
		WHEN array_to_string(known, '') ~ '^[0-9]*$'
			THEN 'Its numbers do not tell their meaning: all are counted until you take out what is no sale'
		ELSE 'None of its values says that an order is no sale' END
		|| '. A status that comes later is not counted until it is added';
END $$;
COMMENT ON FUNCTION replenish.suggest_status(regclass, name) IS
'Which values of a status column count, and why; counted is NULL where the column is of no use. For suggest_orders().';

-- The best column of a table for a role.
CREATE FUNCTION replenish.best_column(columns replenish.role_column[],
	relation regclass, role text) RETURNS replenish.role_column
	LANGUAGE sql STABLE PARALLEL SAFE
	BEGIN ATOMIC
		SELECT c.relation, c.role, c.col, c.score, c.type, c."position"
		FROM unnest(columns) c
		LEFT JOIN pg_catalog.pg_stats s ON s.attname = c.col
			AND (s.schemaname, s.tablename) = (SELECT n.nspname, k.relname
				FROM pg_catalog.pg_class k
				JOIN pg_catalog.pg_namespace n ON n.oid = k.relnamespace
				WHERE k.oid = c.relation)
		WHERE c.relation = best_column.relation AND c.role = best_column.role
		-- rows come in the order of their time
		ORDER BY c.score DESC, pg_catalog.abs(s.correlation) DESC NULLS LAST,
			c."position"
		LIMIT 1;
	END;
COMMENT ON FUNCTION replenish.best_column(replenish.role_column[], regclass, text) IS
'The column of a table that fits a role best; NULL where none does. For suggest_watch().';

CREATE FUNCTION replenish.suggest_orders(relation regclass,
	columns replenish.role_column[], OUT s replenish.source, OUT score integer,
	OUT reasons text[])
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, replenish, pg_temp AS $$
DECLARE
	qty role_column := best_column(columns, relation, 'qty');
	own role_column := best_column(columns, relation, 'at');
	price role_column := best_column(columns, relation, 'price');
	at role_column;
	other role_column;
	h record;
	place regclass;
	st record;
BEGIN
	IF qty.score IS NULL THEN
		RETURN;
	END IF;
	SELECT * FROM suggest_header(relation, columns) INTO h;
	-- what the lines have goes before a column of that name of the header
	IF h.header IS NOT NULL THEN
		columns := ARRAY(SELECT c FROM unnest(columns) c
			WHERE c.relation <> h.header OR NOT EXISTS (
				SELECT FROM pg_attribute a
				WHERE a.attrelid = suggest_orders.relation
					AND a.attname = c.col AND a.attnum > 0
					AND NOT a.attisdropped));
	END IF;
	other := best_column(columns, h.header, 'at');
	-- when it was ordered goes before when a row was made
	at := CASE WHEN own.score + 1 >= other.score OR other.score IS NULL
		THEN own ELSE other END;
	IF at.score IS NULL THEN
		RETURN;
	END IF;
	s.kind := 'orders';
	s.qty := qty.col;
	s.at := at.col;
	score := qty.score + at.score;
	reasons := ARRAY[
		format('qty: %I, a quantity by its name', qty.col),
		format('at: %I%s, a moment of type %s%s', at.col,
			CASE WHEN at.relation <> relation THEN ' of ' || at.relation ELSE '' END,
			at.type, CASE WHEN at.type = 'timestamp with time zone' THEN ''
				ELSE format('; without a zone of its own it is read in that of location default, else in %s, as now. To have another: INSERT INTO replenish.location VALUES (''default'', …) before you watch',
					current_setting('TimeZone')) END)];
	FOREACH place IN ARRAY ARRAY[relation, h.header] LOOP
		other := best_column(columns, place, 'status');
		CONTINUE WHEN other.score IS NULL OR s.status IS NOT NULL;
		SELECT * FROM suggest_status(place, other.col) INTO st;
		IF st.counted IS NOT NULL THEN
			s.status := other.col;
			s.counted := st.counted;
			score := score + 3;
		END IF;
		reasons := reasons || format('status: %s%s', CASE WHEN st.counted IS NULL
			THEN '' WHEN place <> relation THEN format('%I of %s, ', other.col, place)
			ELSE format('%I, ', other.col) END, st.why);
		IF st.counted IS NOT NULL AND place <> relation THEN
			s.on_header := '{status}';
		END IF;
	END LOOP;
	IF at.relation <> relation OR s.on_header IS NOT NULL THEN
		s.header := h.header;
		s.header_key := h.header_key;
		reasons := reasons || format('header: %s has %s; header_key: %I, for %s',
			h.header, array_to_string(ARRAY[CASE WHEN at.relation <> relation
				THEN 'the time' END, CASE WHEN s.on_header IS NOT NULL
				THEN 'the status' END], ' and '), h.header_key, h.why);
	END IF;
	FOREACH place IN ARRAY ARRAY[relation, CASE WHEN s.header IS NOT NULL
		THEN h.header END] LOOP
		other := best_column(columns, place, 'channel');
		IF other.score IS NOT NULL AND s.channel IS NULL THEN
			s.channel := other.col;
			reasons := reasons || format('channel: %I, where the order came from, by its name',
				other.col);
		END IF;
		other := best_column(columns, place, 'location');
		IF other.score IS NOT NULL AND s.location IS NULL THEN
			s.location := other.col;
			s.name := place;
		END IF;
	END LOOP;
	IF price.score IS NOT NULL THEN
		s.price := price.col;
		reasons := reasons || format('price: %I, for first_look() only', price.col);
	END IF;
END $$;
COMMENT ON FUNCTION replenish.suggest_orders(regclass, replenish.role_column[]) IS
'How a table would be watched as lines of orders, but for its SKU, and why; NULL if it is none. s.name is the table that has s.location. For suggest_watch().';

CREATE FUNCTION replenish.suggest_stock(relation regclass,
	columns replenish.role_column[], OUT s replenish.source, OUT score integer,
	OUT reasons text[], OUT main_place text)
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, replenish, pg_temp AS $$
DECLARE
	on_hand role_column := best_column(columns, relation, 'on_hand');
	reserved role_column := best_column(columns, relation, 'reserved');
	on_order role_column := best_column(columns, relation, 'on_order');
	place role_column := best_column(columns, relation, 'location');
	taken role_column := best_column(columns, relation, 'taken');
	sku name := (best_column(columns, relation, 'sku')).col;
	negative float8;
	repeated boolean;
BEGIN
	IF on_hand.score IS NULL OR sku IS NULL THEN
		RETURN;
	END IF;
	s.kind := 'stock';
	s.on_hand := on_hand.col;
	s.location := place.col;
	score := on_hand.score;
	EXECUTE format('SELECT avg((t.%I < 0)::integer) FROM %s t', on_hand.col,
		sample_query(relation, 20000)) INTO negative;
	reasons := ARRAY[format('on_hand: %I, units in stock by its name%s', on_hand.col,
		CASE WHEN negative > 0.01 THEN format('; %s %% of its rows are below zero: places of customers, suppliers or corrections are no stock, and cancel it where they add up',
			round((100 * negative)::numeric, 1)) ELSE '' END)];
	IF negative > 0.01 AND place.col IS NOT NULL THEN
		EXECUTE format('SELECT %s FROM %s t GROUP BY t.%I
			ORDER BY sum(t.%I) DESC NULLS LAST LIMIT 1',
			key_text(relation, 't', place.col), sample_query(relation, 20000),
			place.col, on_hand.col) INTO main_place;
	END IF;
	IF reserved.score IS NOT NULL AND on_hand.col !~* 'avail|可用' THEN
		s.reserved := reserved.col;
		reasons := reasons || format('reserved: %I, promised units that are still there, by its name', reserved.col);
	END IF;
	IF on_order.score IS NOT NULL THEN
		s.on_order := on_order.col;
		reasons := reasons || format('on_order: %I, units bought and not yet there, by its name', on_order.col);
	END IF;
	IF taken.score IS NOT NULL THEN
		-- the same item at several times
		EXECUTE format('SELECT EXISTS (SELECT FROM (SELECT * FROM %s LIMIT 200000) t
			GROUP BY t.%I%s HAVING count(DISTINCT t.%I) > 1)', relation, sku,
			CASE WHEN place.col IS NOT NULL THEN format(', t.%I', place.col)
				ELSE '' END, taken.col) INTO repeated;
		IF repeated OR EXISTS (SELECT FROM pg_index i
			WHERE i.indrelid = relation AND i.indisunique AND i.indnkeyatts > 1
				AND taken.position = ANY (i.indkey::integer[])) THEN
			s.at := taken.col;
			reasons := reasons || format('at: %I, for an item has a row for each time: the newest counts, and orders after it are taken off', taken.col);
		END IF;
	END IF;
END $$;
COMMENT ON FUNCTION replenish.suggest_stock(regclass, replenish.role_column[]) IS
'How a table would be watched as stock, but for its SKU, and why; NULL if it is none. main_place is the place with most units where some are below zero. For suggest_watch().';

CREATE FUNCTION replenish.watch_call(relation regclass, s replenish.source)
	RETURNS text
	LANGUAGE sql STABLE PARALLEL SAFE
	BEGIN ATOMIC
		SELECT pg_catalog.format('SELECT replenish.watch_%s(%L, %s);', s.kind,
			replenish.table_name(relation),
			pg_catalog.string_agg(pg_catalog.format('%s => %L', v.argument, v.value),
				', ' ORDER BY v.n))
		FROM (VALUES (1, 'sku', s.sku::text), (2, 'qty', s.qty),
			(3, 'on_hand', s.on_hand), (4, 'at', s.at),
			(5, 'location', s.location), (6, 'reserved', s.reserved),
			(7, 'on_order', s.on_order), (8, 'channel', s.channel),
			(9, 'status', s.status), (10, 'counted', s.counted::text),
			(11, 'price', s.price), (12, 'header', s.header),
			(13, 'header_key', s.header_key)) v (n, argument, value)
		WHERE v.value IS NOT NULL;
	END;
COMMENT ON FUNCTION replenish.watch_call(regclass, replenish.source) IS
'The statement that watches a table as a source says.';

CREATE FUNCTION replenish.watch_obstacle(relation regclass) RETURNS text
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, replenish, pg_temp AS $$
BEGIN
	PERFORM check_relation(relation), check_tree(relation);
	RETURN NULL;
EXCEPTION WHEN insufficient_privilege OR wrong_object_type
	OR feature_not_supported THEN
	RETURN format('As %s it would be refused: %s', current_user, SQLERRM);
END $$;
COMMENT ON FUNCTION replenish.watch_obstacle(regclass) IS
'Why watching a table would be refused to the caller; NULL where it would not. For suggest_watch().';

-- The columns in which orders and stock name the same things.
CREATE FUNCTION replenish.suggest_skus(columns replenish.role_column[],
	orders regclass[], stocks regclass[], OUT order_table regclass,
	OUT order_sku name, OUT stock_table regclass, OUT stock_sku name,
	OUT share float8)
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, replenish, pg_temp AS $$
BEGIN
	SELECT o.relation, o.col, t.relation, t.col, k.share
	FROM unnest(columns) o
	JOIN unnest(columns) t ON t.role = 'sku' AND t.relation = ANY (stocks)
	CROSS JOIN LATERAL key_overlap(o.relation, o.col, t.relation, t.col)
		k (share)
	WHERE o.role = 'sku' AND o.relation = ANY (orders)
		-- what numbers the lines is no SKU
		AND NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = o.relation
			AND i.indisprimary AND i.indnkeyatts = 1
			AND i.indkey[0] = o."position")
	-- the earlier tables are the better ones
	ORDER BY coalesce(k.share, 0.5) >= 0.3 DESC,
		round(coalesce(k.share, 0.5) * 20) + o.score + t.score
			+ 3 * (o.col = t.col)::integer
			- 2 * array_position(orders, o.relation)
			- 2 * array_position(stocks, t.relation) DESC,
		o."position", t."position"
	LIMIT 1
	INTO order_table, order_sku, stock_table, stock_sku, share;
	IF order_table IS NULL THEN
		order_table := orders[1];
		order_sku := (best_column(columns, orders[1], 'sku')).col;
		stock_table := stocks[1];
		stock_sku := (best_column(columns, stocks[1], 'sku')).col;
	END IF;
END $$;
COMMENT ON FUNCTION replenish.suggest_skus(replenish.role_column[], regclass[], regclass[]) IS
'Of tables of orders and of stock, the better ones first, the two that go together best, their SKU columns and the share of the ordered SKUs that are in stock. For suggest_watch().';

CREATE FUNCTION replenish.suggest_watch()
	RETURNS TABLE (rank integer, kind text, call text, reason text)
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, replenish, pg_temp AS $$
#variable_conflict use_column
DECLARE
	tables regclass[];
	columns role_column[];
	t record;
	said record;
	orders regclass[] := '{}';
	stocks regclass[] := '{}';
	best record;
	pair record;
	s source;
	stock source;
	share float8;
	reasons text[];
	notes text[];
	located boolean := false;
	apart boolean;
BEGIN
	SELECT array_agg(x.relation) FROM shop_tables() x
	WHERE x.meaning IS DISTINCT FROM 'other' INTO tables;
	columns := ARRAY(SELECT c FROM role_columns(tables) c);
	-- by names and sizes first, then with a look inside
	SELECT coalesce(array_agg(p.relation) FILTER (WHERE p.nth <= 8 AND p.kind = 'orders'), '{}'),
		coalesce(array_agg(p.relation) FILTER (WHERE p.nth <= 8 AND p.kind = 'stock'), '{}')
	FROM promising_tables(columns) p INTO orders, stocks;
	columns := ARRAY(SELECT c FROM unnest(columns) c
		WHERE c.relation = ANY (orders || stocks)
			OR table_meaning((SELECT k.relname FROM pg_class k
				WHERE k.oid = c.relation)) = 'orders'
			OR EXISTS (SELECT FROM pg_constraint f WHERE f.contype = 'f'
				AND f.conrelid = ANY (orders) AND f.confrelid = c.relation));
	SELECT coalesce(array_agg(p.relation ORDER BY p.nth), '{}')
	FROM promising_tables(columns) p
	WHERE p.kind = 'orders' AND p.relation = ANY (orders)
		AND (suggest_orders(p.relation, columns)).score IS NOT NULL INTO orders;
	SELECT coalesce(array_agg(p.relation ORDER BY p.nth), '{}')
	FROM promising_tables(columns) p
	WHERE p.kind = 'stock' AND p.relation = ANY (stocks)
		AND (suggest_stock(p.relation, columns)).score IS NOT NULL INTO stocks;
	SELECT * FROM suggest_skus(columns, orders, stocks) INTO best;
	-- the pair comes first
	orders := best.order_table || array_remove(orders, best.order_table);
	stocks := best.stock_table || array_remove(stocks, best.stock_table);
	SELECT * FROM suggest_stock(best.stock_table, columns) INTO said;
	stock := said.s;
	apart := said.main_place IS NOT NULL;

	FOR t IN SELECT x.relation, x.n::integer FROM unnest(orders) WITH ORDINALITY x (relation, n)
		WHERE x.relation IS NOT NULL ORDER BY x.n
	LOOP
		SELECT * FROM suggest_orders(t.relation, columns) INTO said;
		SELECT * FROM suggest_skus(columns, ARRAY[t.relation], ARRAY[best.stock_table]) INTO pair;
		s := said.s;
		reasons := said.reasons;
		IF t.n > 1 THEN
			reasons := format('Another table of orders: watch it too if %s has other orders', best.order_table)
				|| reasons;
		END IF;
		s.sku := pair.order_sku;
		reasons := format('sku: %I, %s', s.sku, CASE
			WHEN pair.share IS NULL THEN 'by its name'
			ELSE format('%s %% of its values are in %s.%I', round(100 * pair.share),
				pair.stock_table, pair.stock_sku) END) || reasons;
		IF s.location IS NOT NULL THEN
			share := CASE WHEN stock.location IS NOT NULL THEN
				key_overlap(s.name::regclass, s.location, best.stock_table, stock.location) END;
			IF stock.location IS NULL OR share < 0.3 THEN
				reasons := reasons || format('location: %I is left out: %s', s.location,
					CASE WHEN stock.location IS NULL THEN 'the stock does not say where it is'
					ELSE format('its values are not those of %s.%I, and orders would not meet the stock; for stock of each place see location_rule',
						best.stock_table, stock.location) END);
				s.location := NULL;
			ELSE
				located := true;
				reasons := reasons || format('location: %I, as in %s.%I', s.location,
					best.stock_table, stock.location);
			END IF;
		ELSIF stock.location IS NOT NULL AND NOT apart THEN
			reasons := reasons || 'location: none is named, so the stock of all places counts together'::text;
		END IF;
		RETURN QUERY SELECT t.n, 'orders', watch_call(t.relation, s),
			array_to_string(reasons || watch_obstacle(t.relation), E'\n');
	END LOOP;

	FOR t IN SELECT x.relation, x.n::integer FROM unnest(stocks) WITH ORDINALITY x (relation, n)
		WHERE x.relation IS NOT NULL ORDER BY x.n
	LOOP
		SELECT * FROM suggest_stock(t.relation, columns) INTO said;
		SELECT * FROM suggest_skus(columns, ARRAY[best.order_table], ARRAY[t.relation]) INTO pair;
		s := said.s;
		s.sku := pair.stock_sku;
		notes := ARRAY[format('sku: %I, %s', s.sku, CASE
			WHEN pair.share IS NULL THEN 'by its name'
			WHEN pair.order_sku <> best.order_sku THEN
				format('which goes with %I of %s: with this table the orders are to be watched by that column',
					pair.order_sku, pair.order_table)
			ELSE format('it has %s %% of the values of %s.%I', round(100 * pair.share),
				pair.order_table, pair.order_sku) END)];
		IF t.n > 1 THEN
			notes := format('Another table that looks like stock: where it holds the same units as %s, watch only one of them', best.stock_table)
				|| notes;
		END IF;
		IF s.location IS NOT NULL AND NOT located AND said.main_place IS NOT NULL THEN
			notes := notes || format('location: %I, to keep places below zero apart. As the orders name none of its values, say which place serves them: INSERT INTO replenish.location_rule (location) VALUES (%L); it has most units',
				s.location, said.main_place);
		ELSIF s.location IS NOT NULL AND NOT located AND best.order_table IS NOT NULL THEN
			notes := notes || format('location: %I is left out, as the orders name none of its values: the places of an item add up', s.location);
			s.location := NULL;
		ELSIF s.location IS NOT NULL THEN
			notes := notes || format('location: %I, as the orders have it', s.location);
		END IF;
		RETURN QUERY SELECT t.n, 'stock', watch_call(t.relation, s),
			array_to_string(notes || said.reasons || watch_obstacle(t.relation), E'\n');
	END LOOP;
END $$;
COMMENT ON FUNCTION replenish.suggest_watch() IS
'The calls of watch_orders() and watch_stock() that suit the tables which the caller may read and nobody watches, the best of each kind first, and for each argument why that column was chosen. It reads catalogs, statistics and samples of the tables, and changes nothing.';
