using Telemetry.Edge.Outbox;
using Telemetry.Edge.Uplink;
using Telemetry.Edge.Uplink.Sending;
using Telemetry.Storage;
using Telemetry.Streams;

namespace Telemetry.Simulation.Planted;

/// <summary>What a world puts in the place of its ordinary parts, to plant a bug.</summary>
internal sealed record Parts
{
    public static readonly Parts Ordinary = new();

    public Func<IOutboxFile, IOutboxFile> File { get; init; } = file => file;

    public Func<IUplinkConnector, IUplinkConnector> Link { get; init; } = link => link;

    public Func<AnswerOrder> Answers { get; init; } = () => new AnswerOrder();

    public Func<IStore, IStore> Store { get; init; } = store => store;

    public Func<IFrameLog, IFrameLog> ProcessorLog { get; init; } = log => log;
}
