using System.Reflection;
using System.Runtime.InteropServices;
using Confluent.Kafka;

namespace Telemetry.Cloud.Alerts.Kafka;

/// <summary>
/// Which librdkafka the process uses: the one that a package brought along, else the distribution's (Debian:
/// librdkafka1).
/// </summary>
internal static class KafkaLibrary
{
    private const string Name = "librdkafka", SystemName = "librdkafka.so.1";

    private static readonly Lazy<bool> Resolving = new(() =>
    {
        NativeLibrary.SetDllImportResolver(typeof(Library).Assembly, Resolve);
        return true;
    });

    /// <summary>To be called before the first use of Confluent.Kafka.</summary>
    public static void Use() => _ = Resolving.Value;

    /// <summary>The library's version, for people; null where there is none.</summary>
    public static string? Version()
    {
        Use();
        return NativeLibrary.TryLoad(SystemName, out _)
            || NativeLibrary.TryLoad(Name, typeof(Library).Assembly, null, out _)
            ? Library.VersionString
            : null;
    }

    private static IntPtr Resolve(string name, Assembly assembly, DllImportSearchPath? path)
    {
        if (name != Name)
        {
            return IntPtr.Zero;
        }

        // The resolver is asked once a function; the loader gives the same handle each time.
        return NativeLibrary.TryLoad(name, assembly, path, out var ours) ? ours
            : NativeLibrary.TryLoad(SystemName, out var systems) ? systems
            : IntPtr.Zero;
    }
}
