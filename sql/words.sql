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
			'[][:space:]!-/:;<=>?@\\^_`{|}~[（）(-]+', '_', 'g'), '_');
	END;
COMMENT ON FUNCTION replenish.plain_name(text) IS
'A name as words in lower case with one underscore between, whatever it was written like.';

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
