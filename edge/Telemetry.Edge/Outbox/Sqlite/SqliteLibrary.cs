using System.Reflection;
using System.Runtime.InteropServices;
using SQLitePCL;

namespace Telemetry.Edge.Outbox.Sqlite;

/// <summary>
/// Which SQLite the process uses: the system's (which the distribution patches) where there is one, otherwise the one
/// bundled with the package.
/// </summary>
internal static class SqliteLibrary
{
    private const string SystemName = "libsqlite3.so.0";

    private static readonly Lazy<string> Loaded = new(Load);
    private static IntPtr _system;

    /// <summary>Loads it on first use and says its version.</summary>
    public static string Version => Loaded.Value;

    private static string Load()
    {
        if (NativeLibrary.TryLoad(SystemName, out _system))
        {
            NativeLibrary.SetDllImportResolver(typeof(SQLite3Provider_e_sqlite3).Assembly, Resolve);
        }

        NativeLibrary.SetDllImportResolver(typeof(SqliteLibrary).Assembly, ResolveOurs);
        Batteries_V2.Init();
        return raw.sqlite3_libversion().utf8_to_string();
    }

    private static IntPtr Resolve(string name, Assembly assembly, DllImportSearchPath? path) =>
        name == "e_sqlite3" ? _system : IntPtr.Zero;

    // Our own calls go to the same library as the package's.
    private static IntPtr ResolveOurs(string name, Assembly assembly, DllImportSearchPath? path) =>
        name != "e_sqlite3" ? IntPtr.Zero
        : _system != IntPtr.Zero ? _system
        : NativeLibrary.Load(name, typeof(SQLite3Provider_e_sqlite3).Assembly, path);
}
