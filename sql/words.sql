---------------------------------------------------------------------------
-- What shops call things, in English, German and Chinese (also in pinyin).
---------------------------------------------------------------------------

CREATE FUNCTION replenish.plain_name(name text) RETURNS text
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
	BEGIN ATOMIC
		-- CamelCase and every kind of separator become snake_case
		SELECT pg_catalog.btrim(pg_catalog.regexp_replace(
			pg_catalog.lower(pg_catalog.regexp_replace(name,
				'([a-z0-9])([A-Z])', '\1_\2', 'g')),
			'[] !-/:;<=>?@\\^_`{|}~[（）]+', '_', 'g'), '_');
	END;
COMMENT ON FUNCTION replenish.plain_name(text) IS
'A name as words in lower case with one underscore between, whatever it was written like.';

CREATE FUNCTION replenish.plain_sku(sku text) RETURNS text
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
	BEGIN ATOMIC
		SELECT pg_catalog.regexp_replace(pg_catalog.lower(sku),
			'[-_[:space:]]', '', 'g');
	END;
COMMENT ON FUNCTION replenish.plain_sku(text) IS
'A SKU without what spellings differ in: case, spaces and dashes.';

-- The higher of several scores counts; what is below 0 is never meant.
CREATE FUNCTION replenish.column_words()
	RETURNS TABLE (role text, score integer, pattern text)
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	BEGIN ATOMIC
		SELECT * FROM (VALUES
			('sku', 10, '^((line_?item|item|product|variant|seller|merchant|master)_)?sku(_(code|id|no|nr|number))?$|^msku$|^fnsku$'),
			('sku', 9, '^(item|product|article|artikel|stock|material|part|goods)_?(code|no|nr|num|number|nummer)$|^asin$|^ean$|^gtin$|^upc$|^barcode$|^artnr$'),
			('sku', 9, '^(商品|产品|货品|物料|sku)(编码|编号|代码|货号)$|^(货号|款号|条码)$|^(shangpin|chanpin|huopin)_?(bianma|bianhao|daima)$|^huohao$|^spbm$'),
			('sku', 7, '(^|_)sku(_|$)'),
			('sku', 6, '^(product|item|article|artikel|goods|商品|产品|shangpin|chanpin)(_?(id|uuid))?$'),
			('sku', 5, '^(product_)?(variant|variation)_id$'),
			('qty', 10, '^((line_?item|item|order|ordered|sales?|product|product_uom|sold)_)?(qty|quantity)(_(ordered|sold))?$'),
			('qty', 9, '^(menge|bestellmenge|anzahl|stückzahl|stueckzahl)$|^(购买|订购|销售|商品|下单)?(数量|件数)$|^(goumai_?|xiaoshou_?|dinggou_?)?(shuliang|jianshu)$'),
			('qty', 7, '^(units|pieces|pcs|stück|stueck)(_(ordered|sold))?$'),
			('qty', 4, '^(count|num|amount|qty_.*|.*_qty)$'),
			('qty', -1, 'cancel|refund|return|ship|invoic|deliver|receiv|backorder|min|max|to_|weight'),
			('at', 10, '^(order(ed)?|purchased?|placed|sold|sales?|booked|paid_order)_?(at|on|date|time|datetime|timestamp|ts)$|^(date|time)_(order(ed)?|placed|sold|sale)$'),
			('at', 10, '^(invoice|buy|transaction)_?(date|time|at)$|^(order_)?placed$'),
			('at', 10, '^(下单|订单|购买|成交|销售)(时间|日期)$|^(xiadan|dingdan|goumai|chengjiao)_?(shijian|riqi)$|^(bestell|auftrags?|verkaufs?|rechnungs?)_?(datum|zeit|zeitpunkt|am)$|^bestellt_am$'),
			('at', 8, '^(date_)?created(_?(at|on|date|time|utc|gmt))?$|^(create|creation)_?(date|time|ts)$|^date_(created|added)(_gmt)?$|^(创建|生成)(时间|日期)$|^chuangjian_?shijian$|^(erstellt|angelegt)(_am)?$|^inserted_at$'),
			('at', 7, '^(at|ts|timestamp|time|date|datetime|moment|day|时间|日期|shijian|riqi|datum|zeit|zeitpunkt)$'),
			('at', 5, '^(paid|payment|付款|支付)_?(at|on|date|time|时间|日期)$|^fukuan_?shijian$'),
			('at', -1, 'updat|modif|write|chang|ship|deliver|fulfil|expir|due|cancel|refund|birth|更新|修改|发货|过期'),
			('taken', 10, '^(snapshot|snap|stock|inventory|inventur|count(ed)?|as_of|taken|reported|feed|exported?|bestands?)_?(at|on|date|time|ts|day|datum)?$|^as_of$|^stichtag$|^(盘点|快照|库存)(时间|日期)$|^(pandian|kuaizhao)_?(shijian|riqi)$'),
			('taken', 7, '^(at|ts|timestamp|time|date|datetime|day|时间|日期|shijian|riqi|datum)$'),
			('taken', 5, '^(date_)?created(_?(at|on|date))?$|^import(ed)?_?(at|on|date)$|^load(ed)?_?(at|on|date)$'),
			('status', 10, '^((order|sales?)_)?(status|state)$|^(订单)?(状态|狀態)$|^(dingdan_?)?zhuangtai$|^(auftrags?|bestell)_?status$'),
			('status', 8, '^financial_status$|^order_?(status|state)_(code|id|name)$'),
			('status', 6, '^payment_(status|state)$|^(付款|支付)状态$|^line_?item_fulfillment_status$'),
			('status', 5, '^fulfil?lment_status$'),
			('channel', 10, '^((sales?|order)_)?channel(_(id|name|code))?$|^(销售)?(渠道|平台)(名称)?$|^(xiaoshou_?)?(qudao|pingtai)$|^(vertriebs|verkaufs)?kanal$'),
			('channel', 9, '^(market_?place|platform|(live_?)?room|show|stream)(_(id|name|code))?$|^(直播间|店铺|主播)(名称|id)?$|^(zhibojian|dianpu)$|^marktplatz$'),
			('channel', 7, '^(shop|store|website|outlet)(_(id|name|code|view))?$|^(source|origin)(_name)?$'),
			('location', 10, '^(ware_?house|location|depot|fulfil?lment_(center|location)|stock_location)(_(id|name|code|no))?$|^(发货)?仓库?(编码|名称|代码)?$|^cangku(_?(bianma|mingcheng))?$|^lager(ort|platz)?(_(id|nr))?$'),
			('location', 8, '^(source_code|wh|wh_code|whs|fc|site|branch|plant|werk|storage_location)$'),
			('price', 10, '^((line_?item|item|unit|sales?|product|net|gross|base)_)?price(_unit)?$|^(单价|售价|价格|成交价|商品单价)$|^(danjia|shoujia|jiage)$|^(einzel|verkaufs|stück|stueck)?preis$'),
			('price', 6, '^price_(incl|excl|net|gross).*$|^unit_(cost|amount)$'),
			('on_hand', 10, '^((qty|quantity|stock|units|inventory|available)_)?on_?hand(_(qty|quantity|stock|units))?$|^(stock|inventory|variant_inventory|inventory_on_hand)_(qty|quantity|level|count|units)$|^in_stock$|^(qty|quantity)_in_stock$'),
			('on_hand', 10, '^(现有|实际|可用|在库|当前|剩余)?库存(数量|数|量)?$|^(xianyou_?|keyong_?|shiji_?)?kucun(_?(shuliang|shu|liang))?$|^(lager|ist)?bestand$'),
			('on_hand', 6, '^(qty|quantity|stock|units|available|available_(qty|quantity|stock)|menge|数量|件数|shuliang|balance|level)$'),
			('reserved', 10, '^(reserved|allocated|committed|held|hold|promised)(_(qty|quantity|stock|units))?$|^(qty|quantity|stock|units)_(reserved|allocated|committed|held)$|^(锁定|占用|预占|预留|已占用|冻结)(库存|数量)?(数量)?$|^(suoding|zhanyong|yuliu)(_?(kucun|shuliang))?$|^reserviert(e_menge)?$'),
			('on_order', 10, '^(on_order|incoming|inbound|in_transit|coming|open_po)(_(qty|quantity|stock|units))?$|^(qty|quantity|stock|units)_(on_order|incoming|inbound|in_transit)$|^(在途|采购在途|待入库)(库存|数量)?(数量)?$|^zaitu(_?(kucun|shuliang))?$|^(im_zulauf|unterwegs|bestellte_menge)$'),
			('header', 10, '^((sales?_)?order|invoice|transaction|receipt)_?(id|no|nr|num|number|key|ref|uuid|code)?$|^(订单|单据)(号|编号|id)$|^dingdan_?(hao|bianhao|id)$|^(bestell|auftrags?|beleg|rechnungs?)_?(id|nr|nummer)$'),
			('header', 6, '^(parent|head|header)_?(id|no|key)?$')
		) w (role, score, pattern);
	END;
COMMENT ON FUNCTION replenish.column_words() IS
'How well a column''s plain_name() fits a role: an argument of watch_orders() or watch_stock(), taken (at of watch_stock()) or header (header_key).';

CREATE FUNCTION replenish.table_meaning(name text) RETURNS text
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
	BEGIN ATOMIC
		SELECT CASE
			WHEN n ~ '(^|_)(cart|basket|quot(e|ation)|wishlist|purchas(e|ing)|procurement|po|supplier|vendor|bill|refund|return|rma|credit_?memo|shipment|picking|transfer|moves?|movements?|log|audit|bak|backup|forecast|plan|budget)s?(_|$)|采购|购物车|退货|退款|调拨|流水|日志|备份|caigou|tuihuo|beweg|einkauf|retoure'
				THEN 'other'
			WHEN n ~ 'stock|invent|(^|_)quants?(_|$)|on_?hand|ware_?house|库存|kucun|bestand|(^|_)lager|(^|_)source_item|product_meta'
				THEN 'stock'
			WHEN n ~ 'order|sale|sold|invoice|line_?items?|transaction|receipt|订单|销售|dingdan|xiaoshou|bestell|auftrag|verkauf|umsatz'
				THEN 'orders'
		END
		FROM (SELECT replenish.plain_name(name)) p (n);
	END;
COMMENT ON FUNCTION replenish.table_meaning(text) IS
'What a table of this name holds: orders, stock, other (neither of them, though it may look so); NULL where the name does not tell.';

CREATE FUNCTION replenish.status_meaning(status text) RETURNS text
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
	BEGIN ATOMIC
		SELECT CASE
			WHEN n ~ 'cancel|annul|storn|abort|void|取消|作废|关闭|撤销|quxiao|zuofei|guanbi'
				THEN 'cancelled'
			WHEN n ~ '^part' THEN NULL
			WHEN n ~ 'refund|return|chargeback|restocked|erstatt|retour|rueckgabe|rückgabe|退款|退货|tuikuan|tuihuo'
				THEN 'returned'
			WHEN n ~ 'draft|quot|abandon|(^|_)cart|basket|checkout|template|(^|_)test|entwurf|angebot|warenkorb|草稿|购物车|报价|测试|caogao|gouwuche'
				THEN 'a draft'
			WHEN n ~ 'fail|reject|declin|denied|fraud|error|expired|timeout|invalid|spam|trash|deleted|abgelehnt|fehlgeschlagen|ungueltig|ungültig|gelöscht|geloescht|失败|拒绝|无效|过期|超时|删除|shibai|wuxiao'
				THEN 'failed'
			WHEN n ~ 'unpaid|not_paid|(pending|awaiting|waiting)_(for_)?payment|payment_(pending|due|review)|wc_pending|unbezahlt|zahlung_offen|待付款|未付款|待支付|未支付|daifukuan|weifukuan|daizhifu|weizhifu'
				THEN 'unpaid'
		END
		FROM (SELECT replenish.plain_name(status)) p (n);
	END;
COMMENT ON FUNCTION replenish.status_meaning(text) IS
'Why an order of this status is no demand, by its name: cancelled, returned, a draft, failed or unpaid; NULL for any other.';
