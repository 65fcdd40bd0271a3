using Telemetry.Model.Frames;
using Telemetry.Model.Identity;
using Telemetry.Model.Protocol;
using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;
using Telemetry.Model.Wire;
using Telemetry.Streams;

namespace Telemetry.Integration.Processing;

/// <summary>
/// What one agent seals in its live and backlog lanes, appended to the log of a cloud with one partition. Each live
/// frame carries the promise that no older reading is outside of what was sealed.
/// </summary>
internal sealed class SealingGateway(GatewayId gateway, int series, IFrameLog log)
{
    private const ulong Epoch = 9;

    private readonly SchemaMessage _schema = SchemaMessage.Of(
        default,
        [.. Enumerable.Range(0, series).Select(i => new SeriesDefinition { Device = "pump", Metric = $"m{i}" })]);

    private long _live, _backlog;
    private int _attempts;

    public GatewayId Gateway => gateway;

    /// <summary>The last sequence that its promises name of the backlog; what it has sealed, sent or not.</summary>
    public long BacklogSealed { get; set; }

    /// <summary>Readings of the live lane that were sent.</summary>
    public long LiveSent => _live;

    /// <summary>The bytes of each backlog message, by the first sequence of its frame.</summary>
    public Dictionary<long, int> BacklogBytes { get; } = [];

    public Task SendSchema() => Append(StreamKind.Live, writer => _schema.Write(writer, Lane.Live));

    /// <summary>
    /// Sends a live frame, with the promise that no reading older than so many microseconds since 1970 UTC follows.
    /// </summary>
    public Task SendLive(ReadingBatch batch, long promised)
    {
        var first = _live + 1;
        _live += batch.Count;
        return Send(StreamKind.Live, Lane.Live, first, batch, new Promise(
            promised, [new EpochLasts(Epoch, new LaneLasts(0, _live, BacklogSealed))], 0));
    }

    /// <summary>Sends the next frame of the backlog; may be done beside the live lane.</summary>
    public async Task SendBacklog(ReadingBatch batch)
    {
        var first = _backlog + 1;
        _backlog += batch.Count;
        BacklogBytes[first] = await Send(StreamKind.Backlog, Lane.Backlog, first, batch, null);
    }

    private Task<int> Send(StreamKind stream, Lane lane, long first, ReadingBatch batch, Promise? promise)
    {
        var order = new int[batch.Count];
        batch.Order(order);
        var header = new FrameHeader
        {
            Key = new FrameKey(Epoch, lane, first, batch.Count),
            Schema = _schema.Id,
            Version = FrameHeader.VersionMax,
            Promise = promise,
        };
        var list = SeriesList.Empty(gateway).Extend(_schema);
        return Append(stream, writer => FrameWriter.Write(writer, header, [], batch, order, list.Types));
    }

    // Returns the bytes of the message.
    private async Task<int> Append(StreamKind stream, Action<WireWriter> write)
    {
        var attempt = Interlocked.Increment(ref _attempts);
        var message = new WireWriter();
        new FrameEnvelope(5, new Attempt(7, attempt)).Write(message);
        var content = new WireWriter();
        write(content);
        message.Bytes(content.Written);
        await log.AppendAsync(0, stream, gateway, $"{gateway} {attempt}", message.ToArray(), default);
        return message.Length;
    }
}
