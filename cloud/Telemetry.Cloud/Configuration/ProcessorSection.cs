using Telemetry.Processing;
using Telemetry.Processing.Partitions;
using Telemetry.Runtime.Settings;

namespace Telemetry.Cloud.Configuration;

/// <summary>Reads section <c>processor</c>.</summary>
internal static class ProcessorSection
{
    private static readonly TimeSpan Millisecond = TimeSpan.FromMilliseconds(1), Second = TimeSpan.FromSeconds(1),
        Hour = TimeSpan.FromHours(1), Day = TimeSpan.FromDays(1);

    public static ProcessorOptions Read(SettingsReader reader, int partitions)
    {
        var or = new ProcessorOptions();
        var options = or with
        {
            Partitions = partitions,
            Workers = Math.Min(reader.Number("processor.workers", ProcessorOptions.WorkersDefault, 1, 64), partitions),
            Owner = reader.Text("processor.owner", ProcessIdentity.OfThisProcess),
            Lease = reader.Span("processor.lease", or.Lease, Second, Hour),
            RenewEvery = reader.Span("processor.renewEvery", or.RenewEvery, 100 * Millisecond, Hour),
            LeaseRetry = reader.Span("processor.leaseRetry", or.LeaseRetry, 100 * Millisecond, Hour),
            GatherTime = reader.Span("processor.gatherTime", or.GatherTime, TimeSpan.Zero, 10 * Second),
            BatchReadingsMax = reader.Number("processor.batchReadingsMax", or.BatchReadingsMax, 8192, 1_000_000),
            GatewaysMax = reader.Number("processor.gatewaysMax", or.GatewaysMax, 16, 1_000_000),
            GatewaySeriesMax = reader.Number("processor.gatewaySeriesMax", or.GatewaySeriesMax, 16, 1 << 24),
            GatewaySchemasMax = reader.Number("processor.gatewaySchemasMax", or.GatewaySchemasMax, 16, 1 << 24),
            GatewaySchemaBytesMax = reader.Bytes(
                "processor.gatewaySchemaBytesMax", or.GatewaySchemaBytesMax, 1 << 16, 1 << 30),
            Lag = new LagOptions
            {
                Info = reader.Span("processor.lagInfo", or.Lag.Info, Second, 3650 * Day),
                Warning = reader.Span("processor.lagWarning", or.Lag.Warning, Second, 3650 * Day),
                CriticalLeft = reader.Span("processor.lagCriticalLeft", or.Lag.CriticalLeft, Second, 3650 * Day),
            },
            TimeFirst = reader.Time("processor.timeFirst", or.TimeFirst, or.TimeFirst, or.TimeLast),
            TimeLast = reader.Time("processor.timeLast", or.TimeLast, or.TimeFirst, or.TimeLast),
        };
        if (options.TimeFirst >= options.TimeLast)
        {
            reader.Problem("processor.timeFirst", "is not allowed; use a time before processor.timeLast");
        }

        if (options.RenewEvery * 2 > options.Lease)
        {
            reader.NotAllowed(
                "processor.renewEvery", SettingUnits.Show(options.RenewEvery),
                $"at most half of processor.lease ({SettingUnits.Show(options.Lease)})");
        }

        return options;
    }
}
