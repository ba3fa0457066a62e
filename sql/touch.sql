---------------------------------------------------------------------------
-- Touching: having items decided again though nothing moved.
---------------------------------------------------------------------------

CREATE FUNCTION replenish.touch(sku text, location text) RETURNS void
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, replenish, pg_temp AS $$
BEGIN
	-- which items those are is for the decider: it sees what was committed
	PERFORM append(0, 0, 0, 't', coalesce(touch.sku, ''),
		coalesce(touch.location, ''), '');
	PERFORM wake();
END $$;
COMMENT ON FUNCTION replenish.touch(text, text) IS
'Has items decided again at the next tick: one item, with location NULL a SKU everywhere, with sku NULL a location, with both NULL all.';

CREATE FUNCTION replenish.touch_place(place text) RETURNS void
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, replenish, pg_temp AS $$
BEGIN
	PERFORM append(0, 0, 0, 't', '', coalesce(touch_place.place, ''), 'place');
	PERFORM wake();
END $$;
COMMENT ON FUNCTION replenish.touch_place(text) IS
'Has the SKUs that were ordered from a place decided again at the next tick, wherever they are; NULL is any place.';

CREATE FUNCTION replenish.touch_part(sku text, location text, channel text)
	RETURNS void
	LANGUAGE plpgsql VOLATILE SECURITY DEFINER
	SET search_path = pg_catalog, replenish, pg_temp AS $$
BEGIN
	IF touch_part.sku IS NOT NULL OR touch_part.channel IS NULL THEN
		PERFORM touch(touch_part.sku, touch_part.location);
		RETURN;
	END IF;
	PERFORM append(0, 0, 0, 't', touch_part.channel,
		coalesce(touch_part.location, ''), 'sells');
	PERFORM wake();
END $$;
COMMENT ON FUNCTION replenish.touch_part(text, text, text) IS
'Has items decided again at the next tick, as touch() does; with sku NULL, those that are ordered on the channel.';

-- The items that a row of kind touch means.  Not in line: it is rare, and what
-- is in line costs each decision a little.
CREATE FUNCTION replenish.touched_items(source integer, sku text,
	location text, channel text) RETURNS SETOF replenish.item_key
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, replenish, pg_temp
	-- which index serves depends on what is blank
	SET plan_cache_mode = force_custom_plan AS $$
#variable_conflict use_column
BEGIN
	CASE touched_items.channel
	WHEN 'source' THEN
		RETURN QUERY SELECT m.sku, s.location
		FROM item_stock s CROSS JOIN LATERAL real_skus(s.sku, NULL) m
		WHERE s.source = touched_items.source
		UNION
		SELECT m.sku, i.location
		FROM item_inbound i CROSS JOIN LATERAL real_skus(i.sku, NULL) m
		WHERE i.source = touched_items.source;
	WHEN 'sells' THEN
		RETURN QUERY SELECT m.sku, p.location
		FROM item_demand d
		CROSS JOIN LATERAL real_skus(d.sku, d.channel) m
		CROSS JOIN LATERAL real_location(d.location, d.channel) p
		WHERE d.channel = touched_items.sku
			AND (touched_items.location = ''
				OR p.location = touched_items.location);
	WHEN 'leads' THEN
		RETURN QUERY SELECT DISTINCT m.sku, p.location
		FROM item_demand d
		CROSS JOIN LATERAL real_skus(d.sku, d.channel) m
		CROSS JOIN LATERAL real_location(d.location, d.channel) p
		WHERE d.channel = touched_items.sku
			AND main_channel(m.sku, p.location, clock()) = d.channel;
	WHEN 'place' THEN
		-- where its orders go now, and where they went before
		RETURN QUERY SELECT m.sku, p.location
		FROM item_demand d
		CROSS JOIN LATERAL real_skus(d.sku, d.channel) m
		CROSS JOIN LATERAL real_location(d.location, d.channel) p
		WHERE (touched_items.location = ''
				OR d.location = touched_items.location)
		UNION
		SELECT i.sku, i.location
		FROM item_demand d
		CROSS JOIN LATERAL real_skus(d.sku, d.channel) m
		JOIN item i ON i.sku = m.sku
		WHERE (touched_items.location = ''
				OR d.location = touched_items.location);
	ELSE
		IF touched_items.sku <> '' AND touched_items.location <> '' THEN
			RETURN QUERY SELECT touched_items.sku, touched_items.location;
			RETURN;
		END IF;
		RETURN QUERY SELECT i.sku, i.location FROM item i
		WHERE (touched_items.sku = '' OR i.sku = touched_items.sku)
			AND (touched_items.location = ''
				OR i.location = touched_items.location)
		UNION
		SELECT m.sku, p.location
		FROM item_demand d
		CROSS JOIN LATERAL real_skus(d.sku, d.channel) m
		CROSS JOIN LATERAL real_location(d.location, d.channel) p
		WHERE (touched_items.sku = '' OR d.sku = touched_items.sku)
			AND (touched_items.location = ''
				OR d.location = touched_items.location)
		UNION
		SELECT m.sku, s.location
		FROM (SELECT t.sku, t.location FROM item_stock t
			UNION SELECT i.sku, i.location FROM item_inbound i) s
		CROSS JOIN LATERAL real_skus(s.sku, NULL) m
		WHERE (touched_items.sku = '' OR s.sku = touched_items.sku)
			AND (touched_items.location = ''
				OR s.location = touched_items.location)
		UNION
		-- what a code means elsewhere, where a channel has its own for it now
		SELECT i.sku, i.location
		FROM sku_alias a JOIN item i ON i.sku = a.sku
		WHERE a.external_sku = touched_items.sku
			AND (touched_items.location = ''
				OR i.location = touched_items.location);
	END CASE;
END $$;
COMMENT ON FUNCTION replenish.touched_items(integer, text, text, text) IS
'The items that are to be looked at again for a touch: one item; where sku or location is blank, all that have the other; for channel source, all that the source has stock or purchase orders of; for channel place, all SKUs that were ordered from the place; for channel sells, all that are ordered on the channel that sku names; for channel leads, those that sell most on it. For the decider only.';
