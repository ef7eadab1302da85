internal import Testing

@testable internal import VerypollConfiguration

@Suite("ProcessorCount")
struct ProcessorCountTests {
    @Test("the processors are those of the process's mask")
    func processors() {
        #expect((1...(1 << 20)).contains(ProcessorCount.available()))
    }
}
