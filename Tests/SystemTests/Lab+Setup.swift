import Glibc
import TestSupport

extension Lab {
    /// Installs the daemon that the tests were built with.
    ///
    /// The service must not need the toolchain's directory, which its sandbox may hide.
    static let installation = """
        make -s -C '\(Repository.path)' install DESTDIR="$ROOT" PREFIX=/usr/local \
            BINARIES='\(Program.buildDirectory)'
        ldd '\(Program.buildDirectory)/verypolld' | awk '$3 ~ /swift/ { print $3 }' |
            xargs -r cp -t "$ROOT/usr/local/lib"
        ldconfig -r "$ROOT"
        systemd-sysusers --root="$ROOT"
        """

    /// Removes Swift, and settings that keep a container from installing manual pages and stopping
    /// services.
    static func packages() throws -> String {
        """
        for swift in $(which -a swift); do
            bin=$(dirname "$(realpath "$swift")")
            rm -rf "$ROOT$swift" "$ROOT$bin"/swift* "$ROOT$bin"/../lib*/swift* \
                "$ROOT$bin"/../lib/lib*wift*
        done
        rm -f "$ROOT/usr/sbin/policy-rc.d"
        # Otherwise each package operation would rebuild the manual index.
        rm -f "$ROOT/var/lib/man-db/auto-update"
        grep -ls path-exclude "$ROOT"/etc/dpkg/dpkg.cfg.d/* | xargs -r rm
        cp '\(try package(revision: 1))' "$ROOT/root/verypolld-1.deb"
        cp '\(try package(revision: 2))' "$ROOT/root/verypolld-2.deb"
        # Unpacked by Scripts/install-dependencies, because the Debian package starts a service. The
        # container may not see the repository.
        cp '\(Repository.path)'/.build-prometheus/usr/bin/prom* "$ROOT/usr/bin/"
        ldconfig -r "$ROOT"
        """
    }

    /// Returns the path of a package that was built before the tests.
    static func package(revision: Int) throws -> String {
        let folder = "\(Repository.path)/.build-deb"
        let words = ["-c", "ls \(folder)/verypolld_*-\(revision)_*.deb"]
        let found = try Program("/bin/sh", words).finish()
        guard found.exit == .code(0) else {
            throw MissingRequirement(
                description: "the package is not built; run make deb REVISION='1 2', or make test"
            )
        }
        return found.standardOutput.split(separator: "\n").joined()
    }
}
