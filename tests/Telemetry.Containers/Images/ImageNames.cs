using Telemetry.Tests.Architecture;

namespace Telemetry.Containers.Images;

/// <summary>The images that the tests start, by name and tag: the lines of images.txt.</summary>
internal static class ImageNames
{
    public static IReadOnlyList<string> All { get; } =
        [.. SourceTree.Lines("tests/Telemetry.Containers/images.txt").Where(line => !line.StartsWith('#'))];

    public static string AspNet => Of("mcr.microsoft.com/dotnet/aspnet");

    public static string Kafka => Of("apache/kafka");

    public static string Mosquitto => Of("eclipse-mosquitto");

    public static string Nats => Of("nats");

    public static string Timescale => Of("timescale/timescaledb");

    private static string Of(string repository) =>
        All.Single(name => name.StartsWith(repository + ":", StringComparison.Ordinal));
}
