import Testing
import Verypoll

@testable import VerypollConfiguration
@testable import VerypollServer

@Suite("clocks, dates and the limits of the process")
struct ClockTests {
    @Test("durations are rounded up to milliseconds")
    func rounds() {
        #expect(Duration.milliseconds(5).milliseconds == 5)
        #expect(Duration.microseconds(5001).milliseconds == 6)
        #expect(Duration.seconds(Int64.max).milliseconds > 1 << 60)
        #expect(Duration.zero.milliseconds == 0)
    }

    @Test("the daytime line has the format of RFC 867")
    func tellsDaytime() throws {
        var line = DaytimeLine()
        let text = String(decoding: line.bytes, as: UTF8.self)
        let form = /[A-Z][a-z]+day, [A-Z][a-z]+ \d\d, \d{4} \d\d:\d\d:\d\d-[A-Z+\-0-9]+\r\n/
        #expect(text.wholeMatch(of: form) != nil, "\(text)")
    }

    @Test("a date has the format of RFC 9110")
    func formatsDate() {
        #expect(formatHTTPDate(secondsSince1970: 784_111_777) == "Sun, 06 Nov 1994 08:49:37 GMT")
        #expect(formatHTTPDate(secondsSince1970: 0) == "Thu, 01 Jan 1970 00:00:00 GMT")
    }

    @Test("the usage of the process can be read")
    func readsUsage() throws {
        // Another test may raise the limit in the meantime.
        let before = try DescriptorLimit.soft()
        let usage = ProcessUsage.current()
        #expect(usage.processorTime > 0)
        #expect([before, try DescriptorLimit.soft()].contains(usage.descriptorLimit))
        #expect((3...usage.descriptorLimit).contains(try #require(usage.openDescriptors)))
    }

    @Test("the descriptor limit can be read")
    func readsLimit() throws {
        #expect(try DescriptorLimit.hard() > 0)
        #expect(try DescriptorLimit.soft() <= DescriptorLimit.hard())
    }
}
