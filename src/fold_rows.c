/*-------------------------------------------------------------------------
 *
 * fold_rows.c
 *	  The rows of a fold: as SQL sees them, and packed for another process.
 *
 * The packed form is for a process of the same server that reads it at once:
 * numbers are as they are in memory.  A row is its head, the accumulator if
 * there is one, and the keys, and ends where the next one is aligned.
 *
 *-------------------------------------------------------------------------
 */
#include "fold.h"

#include "nodes/execnodes.h"
#include "utils/builtins.h"
#include "utils/numeric.h"
#include "utils/tuplestore.h"

#include "key.h"

static const char *const class_names[] = {
	"demand", "stock", "postponed", "fault", "touch", "sold", "line", "header",
	"inbound", "on time", "late", "audience"
};

/* Columns of drain(), pending() and recount(). */
enum
{
	OUT_KIND,
	OUT_SOURCE,
	OUT_SKU,
	OUT_LOCATION,
	OUT_CHANNEL,
	OUT_DEMAND,
	OUT_ON_HAND,
	OUT_RESERVED,
	OUT_ON_ORDER,
	OUT_MINUTE,
	OUT_AMOUNT,
	OUT_ORDER_KEY,
	OUT_DELETED,
	N_OUT
};

/* The head of a packed row. */
typedef struct PackedRow
{
	uint32		length;			/* of all of it */
	uint32		acc_length;		/* 0 where there is none */
	int32		source;
	int32		minute;
	uint8		class;
	uint8		deleted;
	uint8		sku_length;		/* KEY_MAX is a byte's */
	uint8		location_length;
	uint8		channel_length;
	uint8		order_length;
	int64		amount[N_SUMS];
	uint64		size;
} PackedRow;

StaticAssertDecl(sizeof(PackedRow) == MAXALIGN(sizeof(PackedRow)),
				 "the accumulator behind the head must be aligned");

static Datum
text_datum(const Key *key)
{
	return PointerGetDatum(cstring_to_text_with_len(key->data, key->len));
}

/* Micro-units as a number without needless decimals. */
static Datum
units_datum(int64 micros)
{
	Numeric		units = int64_div_fast_to_numeric(micros, 6);

	return DirectFunctionCall1(numeric_trim_scale, NumericGetDatum(units));
}

/* Set one column of a row. */
static void
set_column(Datum *values, bool *nulls, int column, Datum value)
{
	values[column] = value;
	nulls[column] = false;
}

/* Return a row from drain(), pending() or recount(); 'arg' is the result. */
void
fold_return_row(const FoldRow *row, void *arg)
{
	ReturnSetInfo *result = arg;
	Datum		values[N_OUT];
	bool		nulls[N_OUT];
	int			sum = SUM_ONLY;

	memset(nulls, true, sizeof(nulls));
	set_column(values, nulls, OUT_KIND,
			   CStringGetTextDatum(class_names[row->key.class]));
	set_column(values, nulls, OUT_SOURCE, Int32GetDatum(row->key.source));
	set_column(values, nulls, OUT_SKU, text_datum(&row->key.sku));
	set_column(values, nulls, OUT_LOCATION, text_datum(&row->key.location));
	set_column(values, nulls, OUT_CHANNEL, text_datum(&row->key.channel));
	if (FOLD_HAS_SUMMARY(row->key.class))
		set_column(values, nulls, OUT_DEMAND,
				   PointerGetDatum(demand_acc_pack(row->acc)));
	if (row->key.class == FOLD_STOCK)
	{
		for (int i = SUM_ON_HAND; i <= SUM_ON_ORDER; i++)
			set_column(values, nulls, OUT_ON_HAND + i,
					   units_datum(row->amount[i]));
		sum = SUM_ROWS;
	}
	/* 1.0 knew no snapshots of stock, and compares it where there is none */
	if (!FOLD_HAS_SUMMARY(row->key.class) && row->key.class != FOLD_TOUCH &&
		(row->key.class != FOLD_STOCK ||
		 result->setDesc->natts > OUT_ORDER_KEY))
	{
		set_column(values, nulls, OUT_MINUTE, Int32GetDatum(row->key.minute));
		set_column(values, nulls, OUT_AMOUNT, Int64GetDatum(row->amount[sum]));
	}
	if (row->key.class == FOLD_LINE || row->key.class == FOLD_HEADER)
	{
		set_column(values, nulls, OUT_ORDER_KEY, text_datum(&row->order));
		set_column(values, nulls, OUT_DELETED, BoolGetDatum(row->deleted));
	}
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

/* Append a row in its packed form. */
void
fold_pack_row(const FoldRow *row, StringInfo packed)
{
	Size		acc_length = row->acc ? demand_acc_used_bytes(row->acc) : 0;
	Size		length = MAXALIGN(sizeof(PackedRow) + acc_length +
								  row->key.sku.len + row->key.location.len +
								  row->key.channel.len + row->order.len);
	PackedRow	head = {0};
	const Key  *keys[] = {&row->key.sku, &row->key.location, &row->key.channel,
	&row->order};
	char	   *to;

	head.length = length;
	head.acc_length = acc_length;
	head.source = row->key.source;
	head.minute = row->key.minute;
	head.class = row->key.class;
	head.deleted = row->deleted;
	head.sku_length = row->key.sku.len;
	head.location_length = row->key.location.len;
	head.channel_length = row->key.channel.len;
	head.order_length = row->order.len;
	memcpy(head.amount, row->amount, sizeof(head.amount));
	head.size = row->size;

	enlargeStringInfo(packed, length);
	to = packed->data + packed->len;
	memset(to, 0, length);
	memcpy(to, &head, sizeof(head));
	to += sizeof(head);
	if (acc_length > 0)
		memcpy(to, row->acc, acc_length);
	to += acc_length;
	for (int i = 0; i < (int) lengthof(keys); i++)
	{
		if (keys[i]->len > 0)
			memcpy(to, keys[i]->data, keys[i]->len);
		to += keys[i]->len;
	}
	packed->len += length;
}

/* The next key of a packed row. */
static Key
take_key(const char **from, int length)
{
	Key			key = {*from, length};

	*from += length;
	return key;
}

/* Add packed rows, MAXALIGNed as a whole, to a fold. */
void
fold_add_packed(Fold *fold, const char *packed, Size length)
{
	for (const char *end = packed + length; packed < end;)
	{
		const PackedRow *head = (const PackedRow *) packed;
		const char *from = packed + sizeof(PackedRow);
		FoldRow		row = {0};

		if (head->acc_length > 0)
			row.acc = (const DemandAcc *) from;
		from += head->acc_length;
		row.key.class = head->class;
		row.key.source = head->source;
		row.key.minute = head->minute;
		row.key.sku = take_key(&from, head->sku_length);
		row.key.location = take_key(&from, head->location_length);
		row.key.channel = take_key(&from, head->channel_length);
		row.order = take_key(&from, head->order_length);
		row.deleted = head->deleted;
		memcpy(row.amount, head->amount, sizeof(row.amount));
		row.size = head->size;
		fold_add_row(fold, &row);
		packed += head->length;
	}
}
