using Telemetry.Cloud.Log;
using Telemetry.Cloud.Processing;
using Telemetry.Cloud.Storage;
using Telemetry.Edge.Outbox;
using Telemetry.Edge.Uplink;

namespace Telemetry.Simulation.Planted;

/// <summary>What a world puts in the place of its ordinary parts, to plant a bug.</summary>
internal sealed record Parts
{
    public static readonly Parts Ordinary = new();

    public Func<IOutboxFile, IOutboxFile> File { get; init; } = file => file;

    public Func<UplinkOptions, UplinkOptions> Uplink { get; init; } = options => options;

    public Func<IStore, IStore> Store { get; init; } = store => store;

    public Func<ILog, ILog> ProcessorLog { get; init; } = log => log;

    public Func<ProcessorOptions, ProcessorOptions> Processor { get; init; } = options => options;
}
