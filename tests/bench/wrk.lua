-- SPDX-License-Identifier: GPL-2.0-or-later
--
-- wrk.lua - what wrk found, in one line, as the other tools print it.

function done(summary, latency, requests)
	local e = summary.errors
	local failed = e.connect + e.read + e.write + e.status + e.timeout
	print(string.format("requests %d failed %d ns %d p50_us %d p99_us %d " ..
		"max_us %d", summary.requests, failed, summary.duration * 1000,
		latency:percentile(50), latency:percentile(99), latency.max))
end
