using System.IO.Hashing;
using Microsoft.Extensions.Logging.Abstractions;
using Telemetry.Model.Frames;
using Telemetry.Model.Identity;
using Telemetry.Model.Protocol;
using Telemetry.Model.Readings;
using Telemetry.Model.Wire;
using Telemetry.Processing;
using Telemetry.Storage;
using Telemetry.Storage.Alerts;
using Telemetry.Streams;
using Telemetry.TestKit.Simulated;
using Telemetry.TestKit.Time;
using Telemetry.Tests.Model;

namespace Telemetry.Tests.Processing;

/// <summary>
/// The real processor over a simulated frame log, control channel and database, with one partition and one gateway. The
/// database is slower than the control channel, so that a message sent down before its commit would arrive before it.
/// </summary>
internal sealed class ProcessorRig
{
    public const ulong Epoch = 9;

    public static readonly GatewayId Gateway = Samples.Gateway;

    private static readonly TimeSpan StoreWay = TimeSpan.FromMilliseconds(40);
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan HelloWay = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan LongEnough = TimeSpan.FromSeconds(60);

    private readonly Pump _pump = new();
    private readonly SimulatedControlChannel _control;
    private readonly Processor _processor;
    private Task? _running;
    private int _attempts;

    /// <param name="options">How it works.</param>
    /// <param name="altered">Gives the log that the processor sees, for faults of it.</param>
    /// <param name="fleet">Is told what commits changed.</param>
    public ProcessorRig(
        ProcessorOptions? options = null, Func<IFrameLog, TimeProvider, IFrameLog>? altered = null,
        IFleetChannel? fleet = null)
    {
        Store = new SimulatedStore(_pump, new Random(1));
        (Store.Calls.LatencyMin, Store.Calls.LatencyMax) = (StoreWay, StoreWay);
        Log = new SimulatedFrameLog(_pump, new Random(2));
        _control = new SimulatedControlChannel(_pump, new Random(3));
        var onePartition = (options ?? new ProcessorOptions()) with { Partitions = 1, Owner = "test" };
        _processor = new Processor(
            Store, altered?.Invoke(Log, _pump.Clock) ?? Log, _control, onePartition, _pump.Clock, new Random(4),
            NullLogger.Instance, fleet: fleet);
    }

    public SimulatedStore Store { get; }

    /// <summary>The log, without the faults of an altered one.</summary>
    public SimulatedFrameLog Log { get; }

    public ProcessorCounters Counters => _processor.Counters;

    /// <summary>What went down to the gateway, each with the database as it was when it arrived.</summary>
    public List<(byte[] Message, SimulatedDatabase Then)> Down { get; } = [];

    public IEnumerable<(StoredAck Ack, SimulatedDatabase Then)> Acks =>
        Down.Where(d => d.Message[0] == (byte)DownKind.StoredAck).Select(d => (StoredAck.Read(d.Message), d.Then));

    public IEnumerable<SchemaNeeded> SchemasNeeded =>
        Down.Where(d => d.Message[0] == (byte)DownKind.SchemaNeeded).Select(d => SchemaNeeded.Read(d.Message));

    public GatewayRow Books => Store.Content.Gateways.GetValueOrDefault(Gateway) ?? GatewayRow.New(Gateway, 0);

    public SimulatedReading[] Readings => [.. SimulatedDatabase.All(Store.Content.Readings)];

    public FrameRegisterRow[] Frames => [.. SimulatedDatabase.All(Store.Content.Frames).OrderBy(f => f.Key.First)];

    public DropLedgerRow[] Drops => [.. SimulatedDatabase.All(Store.Content.Drops)];

    public DeadLetterRow[] DeadLetters => [.. SimulatedDatabase.All(Store.Content.DeadLetters)];

    public AlertOutboxRow[] AlertOutbox => [.. Store.Content.AlertOutbox.Values];

    /// <summary>The transitions in the alert outbox, in its order.</summary>
    public AlertTransition[] Alerts => [.. AlertOutbox.Select(r => AlertTransition.FromJson(r.Json.Span))];

    public AlertStateRow[] AlertStates => [.. Store.Content.AlertStates.Values];

    /// <summary>How far the agent's clock, by which frames are sent, is behind.</summary>
    public long AgentClockBehindMicros { get; set; }

    /// <summary>The clock's time in microseconds since 1970 UTC.</summary>
    public long NowMicros => (_pump.Clock.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;

    /// <summary>A rig whose gateway's schema is registered.</summary>
    public static ProcessorRig WithSchema(ProcessorOptions? options = null)
    {
        var rig = new ProcessorRig(options);
        rig.Give(Schema());
        return rig;
    }

    public static byte[] Schema() => Samples.Bytes(w => Samples.Schema().Write(w, Lane.Live));

    /// <summary>A frame of floats that differ with <paramref name="value"/>.</summary>
    public static byte[] Floats(long first, int readings, double value = 1, params Declaration[] declarations)
    {
        var batch = new ReadingBatch();
        for (var i = 0; i < readings; i++)
        {
            batch.Add(0, 1_000_000 + i, value + i);
        }

        return Frame(first, batch, declarations);
    }

    public static byte[] Frame(long first, ReadingBatch batch, params Declaration[] declarations) =>
        Frame(Lane.Live, first, batch, declarations);

    public static byte[] Frame(Lane lane, long first, ReadingBatch batch, params Declaration[] declarations)
    {
        var order = new int[batch.Count];
        batch.Order(order);
        var header = Header(first, batch.Count, declarations.Sum(d => d.Count), lane);
        return Samples.Bytes(w => FrameWriter.Write(w, header, declarations, batch, order, Samples.Series().Types));
    }

    /// <summary>A frame whose checksum is right and whose readings cannot be decoded.</summary>
    public static byte[] Malformed(long first, int readings, int dropped = 0) => Samples.Bytes(w =>
    {
        Header(first, readings, dropped).Write(w);
        w.Bytes([0xff, 0xff, 0xff]);
        w.UInt64(XxHash64.HashToUInt64(w.Written));
    });

    public static ulong ChecksumOf(byte[] frame) => FrameHeader.Checksum(frame);

    /// <summary>
    /// Appends the messages to the live stream and lets the processor work until it has long been idle.
    /// </summary>
    public void Give(params byte[][] messages) => GiveBoth(messages, []);

    /// <summary>As <see cref="Give"/>, with messages for the backlog stream before them.</summary>
    public void GiveBoth(byte[][] live, byte[][] backlog) => _pump.Run(async () =>
    {
        await AppendAsync(backlog, StreamKind.Backlog);
        await AppendAsync(live);
        await Task.Delay(LongEnough, _pump.Clock);
        if (_running!.IsCompleted)
        {
            await _running;
        }
    });

    /// <summary>A message comes into the backlog stream, and goes from it before anybody reads it.</summary>
    public void LoseUnread() => _pump.Run(async () =>
    {
        var stream = Log.Find(0, StreamKind.Backlog)!;
        stream.Append(Gateway, "unread", [1], 1, TimeSpan.Zero, long.MaxValue);
        stream.RemoveBelow(stream.Last + 1);
        await Task.Delay(LongEnough, _pump.Clock);
    });

    /// <summary>Every reader of the log loses its connection.</summary>
    public void Disconnect() => _pump.Run(() =>
    {
        Log.Disconnect();
        return Task.CompletedTask;
    });

    /// <summary>Says hellos and lets the processor work until it has long been idle.</summary>
    public void Say(params Hello[] hellos) => Say(LongEnough, hellos);

    /// <summary>Says hellos and lets the processor work for a time.</summary>
    public void Say(TimeSpan then, params Hello[] hellos) => _pump.Run(async () =>
    {
        await AppendAsync([]);
        await Task.Delay(Step, _pump.Clock);
        foreach (var hello in hellos)
        {
            await _control.SayHelloAsync(0, Gateway, Samples.Bytes(hello.Write), CancellationToken.None);
            await Task.Delay(HelloWay, _pump.Clock);
        }

        await Task.Delay(then, _pump.Clock);
    });

    /// <summary>
    /// How much simulated time passes from the moment that the messages are in the stream until it holds.
    /// </summary>
    public TimeSpan TimeUntil(Func<bool> holds, params byte[][] messages)
    {
        var took = TimeSpan.Zero;
        _pump.Run(async () =>
        {
            await AppendAsync(messages);
            for (; !holds() && took < LongEnough; took += Step)
            {
                await Task.Delay(Step, _pump.Clock);
            }
        });
        return took;
    }

    private async Task AppendAsync(byte[][] messages, StreamKind stream = StreamKind.Live)
    {
        if (_running is null)
        {
            await Log.EnsureStreamsAsync(0, CancellationToken.None);
            await _control.ListenDownAsync(
                Gateway, m => Down.Add((m.ToArray(), Store.Content)), CancellationToken.None);
            _running = _processor.RunAsync(CancellationToken.None);
        }

        foreach (var message in messages)
        {
            var attempt = new Attempt(7, ++_attempts);
            var delivered = Samples.Bytes(w =>
            {
                new FrameEnvelope(NowMicros - AgentClockBehindMicros, attempt).Write(w);
                w.Bytes(message);
            });
            await Log.AppendAsync(0, stream, Gateway, $"message {_attempts}", delivered, CancellationToken.None);
        }
    }

    private static FrameHeader Header(long first, int readings, int dropped, Lane lane = Lane.Live) => new()
    {
        Kind = readings == 0 ? FrameKind.Tombstone : FrameKind.Readings,
        Key = new FrameKey(Epoch, lane, first, readings + dropped),
        Dropped = dropped,
        Schema = Samples.Schema().Id,
    };
}
