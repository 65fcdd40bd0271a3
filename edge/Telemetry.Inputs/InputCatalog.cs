using Telemetry.Inputs.Generator;
using Telemetry.Inputs.HostMetrics;
using Telemetry.Inputs.Http;
using Telemetry.Runtime.Settings;

namespace Telemetry.Inputs;

/// <summary>All kinds of input. To add one: a folder with its options, section and input, and a line here.</summary>
public static class InputCatalog
{
    /// <summary>The kinds, in the order in which an agent starts them.</summary>
    public static IReadOnlyList<InputKind> Kinds { get; } =
    [
        new("generator", GeneratorSection.Read),
        new("hostMetrics", HostMetricsSection.Read),
        new("http", HttpSection.Read) { FitsFleet = false, Publish = HttpInputStatus.Publish },
    ];

    /// <summary>The inputs of one agent: those whose sections are set.</summary>
    public static IReadOnlyList<IInputOptions> Read(SettingsReader reader) => Read(Kinds, reader);

    /// <summary>The inputs that the agents of a fleet have in common; other sections stay unread.</summary>
    public static IReadOnlyList<IInputOptions> ReadForFleet(SettingsReader reader) =>
        Read(Kinds.Where(kind => kind.FitsFleet), reader);

    private static List<IInputOptions> Read(IEnumerable<InputKind> kinds, SettingsReader reader) =>
        [.. kinds.Where(kind => reader.Has(kind.Section)).Select(kind => kind.Read(reader))];
}
