internal import Testing

@testable internal import VerypollConfiguration

@Suite("ProcessorCount")
struct ProcessorCountTests {
    @Test("the processor count is that of the process's affinity mask")
    func processors() {
        #expect((1...(1 << 20)).contains(ProcessorCount.available()))
    }
}
