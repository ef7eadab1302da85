import Testing

@testable import VerypollServer

@Suite("ProcessUsage")
struct ProcessUsageTests {
    @Test("the memory is the number of pages in /proc/self/statm times their size")
    func parses() {
        let memory = ProcessUsage.Memory(statm: "25000 800 500 10 0 300 0\n", pageSize: 4096)
        #expect(memory == ProcessUsage.Memory(resident: 3_276_800, virtual: 102_400_000))
        #expect(ProcessUsage.Memory(statm: "", pageSize: 4096) == nil)
        #expect(ProcessUsage.Memory(statm: "12", pageSize: 4096) == nil)
    }

    @Test("the present process has resident memory within its address space")
    func reads() throws {
        let memory = try #require(ProcessUsage.current().memory)
        #expect(memory.resident > 1 << 20)
        #expect(memory.virtual >= memory.resident)
    }
}
