---------------------------------------------------------------------------
-- Touching: having items decided again though nothing moved.
---------------------------------------------------------------------------

CREATE FUNCTION replenish.touch(sku text, location text) RETURNS void
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, replenish, pg_temp AS $$
BEGIN
	-- which items those are is for the decider: it sees what was committed
	INSERT INTO inbox_even (amount, minute, source, kind, sku, location, channel)
	VALUES (0, 0, 0, 't', coalesce(touch.sku, ''), coalesce(touch.location, ''),
		'');
	PERFORM wake();
END $$;
COMMENT ON FUNCTION replenish.touch(text, text) IS
'Has items decided again at the next tick: one item, with location NULL a SKU everywhere, with sku NULL a location, with both NULL all.';

CREATE FUNCTION replenish.touch_place(place text) RETURNS void
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, replenish, pg_temp AS $$
BEGIN
	INSERT INTO inbox_even (amount, minute, source, kind, sku, location, channel)
	VALUES (0, 0, 0, 't', '', coalesce(touch_place.place, ''), 'place');
	PERFORM wake();
END $$;
COMMENT ON FUNCTION replenish.touch_place(text) IS
'Has the SKUs that were ordered from a place decided again at the next tick, wherever they are; NULL is any place.';

-- The items that a row of kind touch means.
CREATE FUNCTION replenish.touched_items(sku text, location text, channel text)
	RETURNS SETOF replenish.item_key
	LANGUAGE sql STABLE PARALLEL SAFE
	BEGIN ATOMIC
		SELECT touched_items.sku, touched_items.location
		WHERE touched_items.sku <> '' AND touched_items.location <> ''
		UNION
		SELECT i.sku, i.location FROM replenish.item i
		WHERE touched_items.channel = ''
			AND (touched_items.sku = '' OR i.sku = touched_items.sku)
			AND (touched_items.location = ''
				OR i.location = touched_items.location)
		UNION
		SELECT m.sku, p.location
		FROM (SELECT DISTINCT o.sku, o.location, o.channel
			FROM replenish.item_demand o
			WHERE (touched_items.sku = '' OR o.sku = touched_items.sku)
				AND (touched_items.location = ''
					OR o.location = touched_items.location)) d
		CROSS JOIN LATERAL replenish.real_skus(d.sku, d.channel) m
		CROSS JOIN LATERAL replenish.real_location(d.location, d.channel) p
		UNION
		SELECT m.sku, t.location
		FROM (SELECT DISTINCT o.sku, o.location FROM replenish.item_stock o
			WHERE touched_items.channel = ''
				AND (touched_items.sku = '' OR o.sku = touched_items.sku)
				AND (touched_items.location = ''
					OR o.location = touched_items.location)) t
		CROSS JOIN LATERAL replenish.real_skus(t.sku, NULL) m
		UNION
		-- what a code means elsewhere, where a channel has its own for it now
		SELECT i.sku, i.location
		FROM replenish.sku_alias a JOIN replenish.item i ON i.sku = a.sku
		WHERE touched_items.channel = ''
			AND a.external_sku = touched_items.sku
			AND (touched_items.location = ''
				OR i.location = touched_items.location)
		UNION
		-- where the orders of a place went before
		SELECT i.sku, i.location
		FROM replenish.item_demand o
		CROSS JOIN LATERAL replenish.real_skus(o.sku, o.channel) m
		JOIN replenish.item i ON i.sku = m.sku
		WHERE touched_items.channel = 'place'
			AND (touched_items.location = ''
				OR o.location = touched_items.location);
	END;
COMMENT ON FUNCTION replenish.touched_items(text, text, text) IS
'The items that are to be looked at again for a touch: one item; where sku or location is blank, all that have the other; for channel place, all SKUs that were ordered from the place. For the decider only.';
