-- One request of wrk again and again, and a result that a program can read.
--
-- usage: wrk -s report.lua URL -- [close]
--    close  asks for a connection per request
wrk.init = function(arguments)
    wrk.headers["Host"] = "127.0.0.1"
    if arguments[1] == "close" then wrk.headers["Connection"] = "close" end
    local text = wrk.format()
    wrk.request = function() return text end
end

done = function(summary, latency)
    local errors = summary.errors
    io.write(string.format(
        '\nRESULT {"requests": %d, "seconds": %.6f, "p50": %.1f, "p99": %.1f, "errors": %d}\n',
        summary.requests, summary.duration / 1e6, latency:percentile(50), latency:percentile(99),
        errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
