/*-------------------------------------------------------------------------
 *
 * compat.h
 *	  Differences between PostgreSQL 15 and 19: the only file that tests
 *	  PG_VERSION_NUM.
 *
 *-------------------------------------------------------------------------
 */
#ifndef REPLENISH_COMPAT_H
#define REPLENISH_COMPAT_H

#include "postgres.h"

#if PG_VERSION_NUM < 150000
#error "replenish needs PostgreSQL 15 or later"
#endif

/* VARDATA and friends moved from postgres.h to varatt.h */
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

/* the attribute became a prefix */
#if PG_VERSION_NUM < 180000
#define pg_noreturn pg_attribute_noreturn()
#endif

/* before, a comment said it, which this version's flags do not accept */
#if PG_VERSION_NUM < 190000
#if __has_attribute(fallthrough)
#define pg_fallthrough __attribute__((fallthrough))
#else
#define pg_fallthrough ((void) 0)
#endif
#endif

/* a relation's storage got another name */
#if PG_VERSION_NUM >= 160000
#define storage_number(rel)	((rel)->rd_locator.relNumber)
#define storage_key(rel)	(RelationGetSmgr(rel)->smgr_rlocator)
#else
#define storage_number(rel)	((rel)->rd_node.relNode)
#define storage_key(rel)	(RelationGetSmgr(rel)->smgr_rnode)
#endif

/* scans are told more */
#if PG_VERSION_NUM >= 190000
#define beginscan_parallel(rel, scan) \
	table_beginscan_parallel(rel, scan, SO_NONE)
#else
#define beginscan_parallel(rel, scan) table_beginscan_parallel(rel, scan)
#endif

/* the version of the SQL that this library belongs to */
#define REPLENISH_VERSION "1.1"

/* the library's name and version show in pg_get_loaded_modules() */
#if PG_VERSION_NUM >= 180000
#define REPLENISH_MODULE_MAGIC \
	PG_MODULE_MAGIC_EXT(.name = "replenish", .version = REPLENISH_VERSION)
#else
#define REPLENISH_MODULE_MAGIC PG_MODULE_MAGIC
#endif

#endif							/* REPLENISH_COMPAT_H */
