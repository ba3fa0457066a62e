# ets.R HISTORY.csv FORECASTS.csv PERIOD HORIZON...
#
# Fits forecast::ets to each series (columns series, units; in order) and writes
# what it expects of the sum of the next days: its mean, its standard deviation
# and the quantiles of simulated paths (columns series, horizon, mean, sd, q50
# ... q975).
suppressMessages(library(forecast))

paths <- 1000
p <- c(.5, .8, .9, .95, .975)
args <- commandArgs(trailingOnly = TRUE)
horizons <- as.integer(args[-(1:3)])
history <- read.csv(args[1])

one <- function(series) {
	set.seed(series)
	y <- ts(history$units[history$series == series],
		frequency = as.integer(args[3]))
	fit <- ets(y)
	sums <- replicate(paths,
		cumsum(simulate(fit, max(horizons), future = TRUE))[horizons])
	sums <- matrix(sums, nrow = length(horizons))
	do.call(rbind, lapply(seq_along(horizons), function(h)
		c(series, horizons[h], mean(sums[h, ]), sd(sums[h, ]),
			quantile(sums[h, ], p, names = FALSE))))
}

found <- parallel::mclapply(unique(history$series), one, mc.cores = 2,
	mc.preschedule = FALSE)
found <- as.data.frame(do.call(rbind, found))
names(found) <- c("series", "horizon", "mean", "sd", paste0("q", 1000 * p))
write.csv(found, args[2], row.names = FALSE)
