/*-------------------------------------------------------------------------
 *
 * replenish.h
 *	  What the files that live inside PostgreSQL share, file by file.
 *
 * The flow: source_read.c reads a row of a watched table as movements; batch.c
 * sums the movements of one statement; inbox.c appends them.  fold.c sums the
 * inbox (or a whole table) per item; decider.c lets one session at a time
 * turn the sums into state and events; worker.c is the session that does it
 * by itself.
 *
 *-------------------------------------------------------------------------
 */
#ifndef REPLENISH_H
#define REPLENISH_H

#include "compat.h"

#include "access/relscan.h"
#include "access/tupdesc.h"
#include "datatype/timestamp.h"
#include "executor/tuptable.h"
#include "fmgr.h"
#include "pgtime.h"
#include "utils/array.h"
#include "utils/relcache.h"
#include "utils/snapshot.h"

#include "demand.h"

/* ---- movement: one amount to add to one key ---- */

/* Longest sku, location or channel, in bytes. */
#define KEY_MAX			255

/* Where a row names no location or channel, it is this one. */
#define DEFAULT_KEY		"default"

/* Kinds of movement, as stored in inbox.kind. */
typedef enum MovementKind
{
	MOVE_DEMAND = 'd',			/* units ordered in a minute */
	MOVE_DELETED = 'x',			/* the same, taken back by DELETE or TRUNCATE */
	MOVE_LINE = 'l',			/* units in a line of an order */
	MOVE_LINE_DELETED = 'k',	/* the same, taken back by DELETE or TRUNCATE */
	MOVE_HEADER = 'H',			/* headers of an order: their number */
	MOVE_HEADER_DELETED = 'X',	/* the same, taken back by DELETE or TRUNCATE */
	MOVE_SUMMARY = 's',			/* a whole demand summary at once */
	MOVE_ON_HAND = 'h',			/* units in the warehouse */
	MOVE_RESERVED = 'r',		/* units promised, still there */
	MOVE_ON_ORDER = 'o',		/* units bought, not yet received */
	MOVE_SNAPSHOT_ROWS = 'n',	/* rows of a table of stock snapshots */
	MOVE_SOLD = 'q',			/* units ordered in a minute, to be taken off a
								 * snapshot of stock only */
	MOVE_INBOUND = 'i',			/* units on order, expected in a minute; the route
								 * is the channel */
	MOVE_ON_TIME = 'p',			/* receipts that were not late: their number, by
								 * the minutes since they were ordered */
	MOVE_LATE = 'v',			/* receipts that were, likewise */
	MOVE_AUDIENCE = 'a',		/* viewers in a minute, or counts of them: what
								 * they are is the location */
	MOVE_AUDIENCE_DELETED = 'A',	/* the same, taken back by DELETE or TRUNCATE */
	MOVE_AUDIENCE_SUMMARY = 'S',	/* a whole summary of them at once */
	MOVE_FAULT = 'f',			/* rows that could not be counted: channel is
								 * the fault's code, amount their number */
	MOVE_TOUCH = 't'			/* nothing moved: look at the item again */
} MovementKind;

typedef struct Key
{
	const char *data;			/* not terminated */
	int			len;
} Key;

typedef struct Movement
{
	int32		source;			/* id of the watch; 0 is record_demand() */
	MovementKind kind;
	int32		minute;			/* minutes since 1970 UTC: of the demand, of the
								 * snapshot of stock, of the arrival; 0 where
								 * there is none; of receipts, their lead time */
	int64		amount;			/* micro-units; or rows, of faults, headers,
								 * receipts and snapshots */
	Key			sku;
	Key			location;
	Key			channel;
	Key			order;			/* of a line or header */
	struct varlena *summary;	/* MOVE_SUMMARY, MOVE_AUDIENCE_SUMMARY only */
} Movement;

/* ---- value.c: one value; NULL, or the code of a fault ---- */

#define FAULT_QUANTITY	"bad_quantity"
#define FAULT_MOMENT	"bad_moment"

extern bool value_is_key_type(Oid type);
extern bool value_key(Datum value, Oid type, char *buffer, Key *key);
extern const char *value_quantity(Datum value, Oid type, int64 *micros);
extern const char *value_moment(Datum value, Oid type, pg_tz *zone,
								int32 *minute);
extern const char *value_check_quantity(double qty, int64 *micros);
extern const char *value_check_moment(TimestampTz at, int32 *minute);

/* ---- source.c, source_read.c: how to read the rows of a watched table ---- */

typedef enum SourceKind
{
	SOURCE_ORDERS,				/* lines that say it all */
	SOURCE_LINES,				/* lines whose order is a row elsewhere */
	SOURCE_HEADERS,				/* those orders */
	SOURCE_STOCK,
	SOURCE_INBOUND,				/* purchase orders and shipments */
	SOURCE_AUDIENCE				/* counts of viewers */
} SourceKind;

typedef enum SourceColumn
{
	COL_SKU,
	COL_LOCATION,
	COL_CHANNEL,
	COL_STATUS,
	COL_QTY,
	COL_AT,
	COL_ON_HAND,
	COL_RESERVED,
	COL_ON_ORDER,
	COL_ORDER,					/* of lines and headers: what joins them */
	COL_EXPECTED_AT,			/* of inbound, with when it was ordered in COL_AT
								 * and its route in COL_CHANNEL */
	COL_RECEIVED_AT,
	COL_RECEIVED,
	N_COLUMNS
} SourceColumn;

typedef struct Source
{
	int32		id;
	SourceKind	kind;
	const char *column[N_COLUMNS];	/* NULL where there is none */
	const char *zone;			/* of moments without a zone */
	int			ncounted;		/* statuses that are demand */
	char	  **counted;
	int			nzones;			/* pairs (location, zone) that differ */
	char	  **zones;
} Source;

/* A source laid over the columns of one relation. */
typedef struct SourceReader
{
	const Source *source;
	const char *missing;		/* fault that makes all rows unreadable */
	AttrNumber	attnum[N_COLUMNS];
	Oid			type[N_COLUMNS];	/* base types */
	char		buffer[N_COLUMNS][64];	/* keys that are not text */
} SourceReader;

/* Most movements that one row can make. */
#define ROW_MOVEMENTS	4

extern int	source_unpack(const char *packed, char ***args);
extern void source_parse(int nargs, char **args, Source *source);
extern void source_parse_array(ArrayType *array, Source *source);
extern void source_bind(const Source *source, TupleDesc desc,
						SourceReader *reader);
extern int	source_read(SourceReader *reader, TupleTableSlot *slot, int sign,
						bool deleted, Movement *moves);

/* ---- batch.c: the movements of one statement, summed ---- */

typedef struct Batch Batch;

extern Batch *batch_create(void);
extern void batch_add(Batch *batch, const Movement *move, int sign);
extern bool batch_flush(Batch *batch);

/* ---- inbox.c, inbox_read.c, settled.c: the one door ---- */

typedef void (*MovementVisitor) (const Movement *move, void *arg);

extern bool is_own_table(Relation rel, const Oid *types, int ntypes);
extern bool inbox_append(const Movement *moves, int nmoves);
extern const char *inbox_broken(void);
typedef enum InboxUse
{
	INBOX_READ,
	INBOX_PEEK,					/* is there anything: with a new snapshot */
	INBOX_DRAIN,				/* remove what was visited */
	INBOX_DRAIN_ORDERS,			/* lines and headers of orders only */
	INBOX_DRAIN_REST,			/* all but those */
	INBOX_USES
} InboxUse;

extern void inbox_scan(Snapshot snapshot, InboxUse use, int64 backlog,
					   MovementVisitor visit, void *arg);
extern bool inbox_has_rows(Snapshot snapshot);
extern bool backlog_has_rows(Snapshot snapshot);
extern void inbox_trim(TimestampTz now);

/* ---- scan.c: every row of a watched table ---- */

extern bool scan_has_rows(Relation rel);
extern Snapshot scan_snapshot(Snapshot snapshot);
extern void scan_rows(Relation rel, TableScanDesc scan, Snapshot snapshot,
					  const Source *source, int sign, bool deleted,
					  MovementVisitor visit, void *arg);
extern void scan_own_rows(Relation rel, const Source *source,
						  Snapshot snapshot, int sign, bool deleted,
						  MovementVisitor visit, void *arg);

/* ---- failure.c: what went wrong, for health() ---- */

extern void failure_lost(int32 source, int64 rows);
extern void failure_append(const char *what, const char *error);
extern TimestampTz failure_retry_at(void);

/* ---- decider.c: one at a time ---- */

extern bool decider_try_now(void);
extern Oid	replenish_extension_oid(void);
extern char *replenish_extension_version(Oid extension);

/* ---- worker.c and launch.c: who decides, and how it hears of work ---- */

typedef enum EvaluateMode
{
	EVALUATE_AUTO,
	EVALUATE_WORKER,
	EVALUATE_IMMEDIATE,
	EVALUATE_MANUAL
} EvaluateMode;

extern PGDLLIMPORT int replenish_evaluate;

#define WORKER_TYPE		"replenish worker"

/* lock numbers on the extension, see decider.c */
#define LOCK_WORKER		1
#define LOCK_LAUNCH		2
#define LOCK_DECIDER	3
#define LOCK_REPAIR		4

extern void worker_yield(void);
extern bool worker_ensure(void);
extern void wake_at_commit(void);
extern void wake_init(void);
extern void forbid_prepare(void);
extern void forgo_lock_timeout(void);
extern PGDLLEXPORT void replenish_worker_main(Datum arg);

#endif							/* REPLENISH_H */
