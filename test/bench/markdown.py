"""The README's table, in English and Chinese, from the file of a run.

It goes between two comments of each README; nothing there is written by hand.
"""

import re
import textwrap

from report import number

BEGIN = "<!-- from doc/bench.json by \"make bench-report\" -->"
END = "<!-- end -->"

# key of the row, English, Chinese.  A leading ellipsis repeats the line above.
ROWS = (
    ("cpu.single", "server CPU of an order line, without its commit",
     "一行订单的服务器 CPU（不含提交）"),
    ("cpu.five", "… of an order of five lines", "…… 五行一单"),
    ("commit.single.uniform", "… of an order line with its commit",
     "…… 一行订单，含提交"),
    ("cpu.stock", "… of a stock update", "…… 一次库存更新"),
    ("cpu.cancel", "… of a cancellation, by its status",
     "…… 取消一单（改状态）"),
    ("cpu.delete", "… of a cancellation, by DELETE", "…… 取消一单（DELETE）"),
    ("bulk.insert", "`INSERT … SELECT` of a million rows, CPU per row",
     "一百万行 `INSERT … SELECT`，每行 CPU"),
    ("bulk.copy", "`COPY` of a million rows, CPU per row",
     "一百万行 `COPY`，每行 CPU"),
    ("tps.uniform.1", "orders per second, one client", "每秒订单数，1 个客户端"),
    ("tps.uniform.16", "… 16 clients, uniform over 10 000 items",
     "…… 16 个客户端，均匀分布在 10 000 件"),
    ("tps.hot.16", "… 16 clients, one hot item", "…… 16 个客户端，同一件爆款"),
    ("tps.five.16", "… 16 clients, five lines each (peer: deadlocks)",
     "…… 16 个客户端，每单五行（自写方案会死锁）"),
    ("tps.uniform.64", "… 64 clients, uniform", "…… 64 个客户端，均匀分布"),
    ("tps.hot.64", "… 64 clients, one hot item", "…… 64 个客户端，同一件爆款"),
    ("tps.hot.16.cpu", "… 16 clients, one hot item, no commit waits for a disk",
     "…… 16 个客户端，同一件爆款，提交不等磁盘"),
    ("tps.uniform.16.cpu", "… 16 clients, uniform, no commit waits for a disk",
     "…… 16 个客户端，均匀分布，提交不等磁盘"),
    ("wal.single", "WAL of an order line", "一行订单的 WAL"),
    ("wal.five", "… of one of five", "…… 五行之一"),
    ("waits.locks", "lock waits of a millisecond or more, added",
     "增加的锁等待（1 毫秒以上）"),
    ("latency.idle", "commit to notification, idle, median / 99 %",
     "从提交到通知，空闲时，中位数 / 99 %"),
    ("latency.loaded", "… beside 16 clients", "…… 同时有 16 个客户端"),
    ("status.one", "`status` of one item of a million",
     "一百万件中查一件的 `status`"),
    ("status.worst", "… of all that are orange and red (one in a hundred)",
     "…… 所有橙色和红色（百分之一）"),
    ("status.whole", "… of all, against a scan of the table",
     "…… 全部，与扫描该表相比"),
    ("status.skus", "`sku_status` of those 10 000, asked for by SKU",
     "按 SKU 查这一万件的 `sku_status`"),
    ("status.skus.all", "… of all", "…… 全部"),
    ("viewers.orders", "orders beside viewer counts of 200 rooms each second,"
     " against without",
     "每秒为 200 个直播间计一次观众时的下单速度，与不计时相比"),
    ("snapshot.quiet", "a tick behind an old snapshot and a million orders",
     "有旧快照且其后已有一百万单时的一次 tick"),
    ("snapshot.busy", "… of a hundred items that sold all the while",
     "…… 其间一直在卖的一百件"),
    ("idle.cpu", "the worker while nobody orders, of a core",
     "无人下单时后台进程占一个核"),
    ("agg.demand_agg.one.serial", "`demand_agg()` against `sum()`, CPU",
     "`demand_agg()` 与 `sum()` 相比，CPU"),
    ("agg.demand_agg.grouped.serial", "… at 100 000 groups", "…… 分 100 000 组"),
    ("agg.demand_velocity.one.serial", "`demand_velocity()` likewise",
     "`demand_velocity()` 同样"),
    ("agg.demand_velocity.grouped.serial", "… at 100 000 groups",
     "…… 分 100 000 组"),
    ("forecast.core.1", "forecast with five quantiles, an item of two months",
     "含五个分位数的预测，两个月历史"),
    ("drain.rate", "movements that the decider takes per second of CPU",
     "判定者每秒 CPU 取走的变动"),
    ("drain.tick", "… with the decisions on the 10 000 items they touch",
     "…… 连同对所涉 10 000 件的判定"),
)
INTRO = (
    "PostgreSQL {postgresql}, {cores} cores ({processor}), {date}; ratios to the "
    "same work without a trigger, the two in turn or side by side. \"Peer\" is "
    "what a shop would write itself: a plpgsql `AFTER ROW` upsert of a summary "
    "row with `pg_notify`.",
    "PostgreSQL {postgresql}，{cores} 核（{processor}），{date}；数值是与没有触发器时"
    "同样工作的比值，两者交替或并排运行。“自写方案”指店铺自己会写的做法：plpgsql "
    "的 `AFTER ROW` 触发器更新汇总行并调用 `pg_notify`。")
HEAD = ("| | replenish | peer | without |", "| | replenish | 自写方案 | 无触发器 |")
OUTRO = (
    "The control (the same work without a trigger, against itself) is within "
    "{cpu:.0f} % for CPU and {tps:.0f} % for orders per second; the spread of "
    "each figure, and the goals, are in [the file](doc/bench.json) and "
    "[the picture](doc/bench.svg).",
    "对照组（无触发器与它自己相比）CPU 相差不超过 {cpu:.0f} %，每秒订单数不超过 "
    "{tps:.0f} %；各项数字的离散范围和目标见[数据文件](bench.json)和[图](bench.svg)。")


def ratio(value):
    """A ratio; what is next to nothing as a fraction."""
    if value <= 0:
        return "0"
    if value < .005:
        return "1/%d" % (1 / value)
    return "%.2f ×" % value


def cell_of(row):
    """(ours, peer, without) of a row."""
    values, ratios = row.get("values", {}), row.get("ratios", {})
    floor = "%s %s" % (number(values["floor"]), row["unit"]) \
        if "floor" in values else ""
    floor = floor.replace(" /s", "/s").replace(" us", " µs").strip()
    if "figure" in row:
        f = row["figure"]
        ours = "%s%s %s" % ("+ " if row["unit" if "unit" in row else "key"]
                            == "B" else "", number(f["value"]),
                            f["unit"].replace("us", "µs").replace("x", "×"))
        peer = ""
        if row.get("unit") == "":
            peer = number(values["peer"])
        elif "peer" in values:
            peer = "+ %s %s" % (number(values["peer"] - values["floor"]),
                                row["unit"])
        return ours.strip(), peer, floor
    return (ratio(ratios["ours"][0]),
            ratio(ratios["peer"][0]) if "peer" in ratios else "", floor)


def folded(text, language):
    """Lines of the README's width; Chinese has no spaces to fold at."""
    return text if language else textwrap.fill(
        text, 120, break_long_words=False, break_on_hyphens=False)


def table(results, language):
    """Lines of the part between the comments."""
    about = results["about"]
    rows = {row["key"]: row for row in results["rows"]}
    for key in ("latency.idle", "latency.loaded"):
        if key + ".p50" in rows:
            rows[key] = {"key": key, "figure": {"value": 0, "unit": "ms"}}
    out = [folded(INTRO[language].format(**about), language), "", HEAD[language],
           "|---|---|---|---|"]
    for key, *names in ROWS:
        if key not in rows:
            continue
        if key.startswith("latency."):
            cells = "%s / %s ms" % tuple(
                number(rows[key + p]["figure"]["value"])
                for p in (".p50", ".p99")), "", ""
        else:
            cells = cell_of(rows[key])
        out.append("| %s | %s | %s | %s |" % (names[language], *cells))
    noise = {kind: max([0] + [
        abs(row["ratios"]["control"][0] - 1) * 100 for row in results["rows"]
        if "control" in row.get("ratios", {})
        and (row["unit"] == "/s") == (kind == "tps") and row["unit"] != "B"])
        for kind in ("cpu", "tps")}
    out += ["", folded(OUTRO[language].format(**noise), language)]
    return "\n".join(out).replace("|  |", "| |").replace("|  |", "| |")


def insert(path, results, language):
    """Put the table into a README; false if it has no place for it."""
    with open(path, encoding="utf-8") as file:
        old = file.read()
    found = re.search("%s\n.*?\n%s" % (re.escape(BEGIN), re.escape(END)), old,
                      re.S)
    if not found:
        return False
    with open(path, "w", encoding="utf-8") as file:
        file.write("%s%s\n%s\n%s%s" % (
            old[:found.start()], BEGIN, table(results, language), END,
            old[found.end():]))
    return True
