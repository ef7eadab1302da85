import Systemd
import Testing
import VerypollServer

@Suite("fields of the journal")
struct JournalFieldTests {
    @Test("the data plane marks its messages with the key that the journal's handler looks for")
    func agrees() {
        #expect(JournalMessageID.metadataKey == MetadataKey.messageID)
    }
}
