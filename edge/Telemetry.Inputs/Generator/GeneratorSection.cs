using Telemetry.Runtime.Settings;

namespace Telemetry.Inputs.Generator;

/// <summary>Reads section <c>generator</c> of an agent's configuration.</summary>
internal static class GeneratorSection
{
    public static GeneratorOptions Read(SettingsReader reader)
    {
        var or = new GeneratorOptions();
        return or with
        {
            ReadingsPerSecond = reader.Number("generator.readingsPerSecond", or.ReadingsPerSecond, 1, 1_000_000),
            Devices = reader.Number("generator.devices", or.Devices, 1, 10_000),
            SeriesPerDevice = reader.Number("generator.seriesPerDevice", or.SeriesPerDevice, 1, 1_000),
            Interval = reader.Span(
                "generator.interval", or.Interval, TimeSpan.FromMilliseconds(1), TimeSpan.FromHours(1)),
            CommitDeadline = reader.Span(
                "generator.commitDeadline", or.CommitDeadline, TimeSpan.Zero, TimeSpan.FromMinutes(1)),
            CriticalEvery = reader.Number("generator.criticalEvery", or.CriticalEvery, 0, int.MaxValue),
            UnstorableTextEvery = reader.Number(
                "generator.unstorableTextEvery", or.UnstorableTextEvery, 0, int.MaxValue),
            OldTimeEvery = reader.Number("generator.oldTimeEvery", or.OldTimeEvery, 0, int.MaxValue),
            ReadingsMax = reader.Number("generator.readingsMax", or.ReadingsMax, 0, long.MaxValue),
            Seed = reader.Number("generator.seed", or.Seed, 0, int.MaxValue),
        };
    }
}
