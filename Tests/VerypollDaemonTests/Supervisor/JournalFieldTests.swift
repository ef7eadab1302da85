import Systemd
import Testing
import VerypollServer

@Suite("Journal fields")
struct JournalFieldTests {
    @Test("the data plane marks messages with the key that the journal's log handler expects")
    func agrees() {
        #expect(JournalMessageID.metadataKey == MetadataKey.messageID)
    }
}
