import StrictJSON
import Testing

@Suite("JSONPointer")
struct JSONPointerTests {
    @Test("tildes and slashes are escaped")
    func escapes() {
        #expect((JSONPointer.root / "a/b" / "m~n" / 2).description == "/a~1b/m~0n/2")
        #expect(JSONPointer.root.description.isEmpty)
    }
}
