package import Verypoll

/// A lookup of the servers of a service, which may take up to 20 seconds; see RFC 2782.
///
/// The lookup asks the name servers of resolv.conf(5) itself. glibc's res_nquery(3) asks over TCP
/// if an answer does not fit a datagram, and then waits forever for a server that accepts the
/// connection and does not answer. The resolver has few threads, so none may wait forever.
///
/// An answer without a record is a failure, so that the caller keeps its last good answer. The
/// negative time to live of RFC 2308 is not reported: name servers cache negative answers by
/// themselves, and a caller that waited for hours would miss the return of a deleted name.
package enum ServiceLookup {
    /// The longest time that the question for the SRV records takes, and then that the questions
    /// for the addresses of their targets take.
    private static let timeLimit = Duration.seconds(10)

    /// Asks the name servers of this machine and waits for the answer.
    ///
    /// - Parameter name: The name of the service, such as `_app._tcp.example.com`. The search list
    ///   of resolv.conf(5) is not used.
    /// - Returns: The servers of the service, or the reason why there is no answer.
    package static func answer(for name: String) -> Result<ServiceAnswer, NameLookupFailure> {
        answer(for: name, servers: NameServers.configured())
    }

    /// Asks other name servers than those of this machine.
    package static func answer(
        for name: String,
        servers: [SocketAddress]
    ) -> Result<ServiceAnswer, NameLookupFailure> {
        guard let wireName = DNSName(name) else {
            return .failure(NameLookupFailure(reason: "it is not a valid DNS name"))
        }
        let question = DNSQuestion(name: wireName, type: .srv)
        do throws(NameLookupFailure) {
            let message = try ask([question], of: servers)[0].get()
            let receivedAt = ContinuousClock.now
            var findings = try ServiceFindings(message, to: question)
            let questions = findings.questions
            for (question, answer) in zip(questions, ask(questions, of: servers)) {
                // A target without an address is not an error of the service.
                switch answer {
                case .success(let message): findings.add(message, to: question)
                case .failure: findings.noteFailure(of: question)
                }
            }
            return .success(findings.answer.aged(by: .now - receivedAt))
        } catch {
            return .failure(error)
        }
    }

    private static func ask(
        _ questions: [DNSQuestion],
        of servers: [SocketAddress]
    ) -> [Result<DNSMessage, NameLookupFailure>] {
        DNSClient.ask(questions, of: servers, until: .now + timeLimit)
    }
}
