using Microsoft.Extensions.Logging.Abstractions;
using Telemetry.Edge.Outbox;
using Telemetry.Edge.Outbox.Frames;
using Telemetry.Edge.Uplink;
using Telemetry.Model.Frames;
using Telemetry.Model.Identity;
using Telemetry.Model.Protocol;
using Telemetry.Simulation.Checking.Online;
using Telemetry.Simulation.Faults;
using Telemetry.Simulation.Planted;
using Telemetry.TestKit.Simulated;
using Telemetry.TestKit.Time;

namespace Telemetry.Simulation.Worlds;

/// <summary>A gateway: its disk, its link, its source of readings, and the agent that is killed at will.</summary>
internal sealed class GatewayMachine
{
    // Small enough to be reached while a link is cut: then the outbox refuses.
    private const int SmallQuotaBytesMin = 2_000, SmallQuotaBytesMax = 20_000;

    private static readonly OutboxFault[] DiskFaults =
        [OutboxFault.Full, OutboxFault.Io, OutboxFault.Busy, OutboxFault.ReadOnly];

    private readonly Random _random;
    private readonly long _quotaBytes;
    private readonly FaultChances _faults;
    private readonly Parts _parts;
    private readonly Trace _trace;
    private readonly FreeJudge _judge;
    private readonly OnlineJudge _judges;
    private readonly bool _dropsReadings;

    public GatewayMachine(
        GatewayId id, Pump pump, Random random, Trace trace, FaultChances faults, Parts parts, SimulatedLink link,
        OnlineJudge judge, FaultProfile mix, Journal journal)
    {
        Id = id;
        (_random, _faults, _parts, _trace) = (random, faults, parts, trace);
        (_judges, _judge) = (judge, judge.Of(id));
        judge.Knows(id, journal);
        Disk = new SimulatedOutboxDisk(random);
        Disk.CommitFault = () => DiskFault(Fault.DiskCommitFailed);
        Disk.ReadFault = () => DiskFault(Fault.DiskReadFailed);
        Disk.Durable = commit => Durable(commit, judge);
        _quotaBytes = random.Next(4) == 0
            ? random.Next(SmallQuotaBytesMin, SmallQuotaBytesMax) : new OutboxOptions().QuotaBytes;
        Link = link;
        Generator = new Generator(id, random, pump.Clock, journal, faults, mix);
        _dropsReadings = mix.Has(Fault.ReadingDropped);
        Machine = new Machine($"agent {id}", pump, trace, random, RunAsync, Died)
        {
            Allows = e => e is OutboxException or IOException or OperationCanceledException,
        };
    }

    public GatewayId Id { get; }

    public SimulatedOutboxDisk Disk { get; }

    public SimulatedLink Link { get; }

    public Generator Generator { get; }

    public Machine Machine { get; }

    /// <summary>The outbox of the life that runs; null while none does.</summary>
    public ReadingOutbox? Outbox { get; private set; }

    /// <summary>True when the agent holds nothing that is not stored.</summary>
    public bool IsDrained => Outbox is { UnsealedReadings: 0, Held.Count: 0 };

    /// <summary>Copies of the outbox file that were put back, and when each had been taken.</summary>
    public List<OutboxCopy> PutBack { get; } = [];

    private async Task RunAsync(ProcessLife life, CancellationToken stop)
    {
        Disk.BeforeDurable = () => DiskWorksAsync(life, "before a commit was durable");
        Disk.AfterDurable = () => DiskWorksAsync(life, "after a commit was durable");
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(stop);
        await using var outbox = await ReadingOutbox.OpenAsync(
            _parts.File(Disk.Open()), Id, Options(), life.Time, new Random(_random.Next()), stop);
        Outbox = outbox;
        var link = new WatchedLink(_parts.Link(Link), Says, message => Takes(message.Span, outbox), _judge.Took);
        var uplink = new UplinkLoop(
            outbox, Id, link, new UplinkOptions(), life.Time, new Random(_random.Next()), NullLogger.Instance,
            _parts.Answers());
        var sending = uplink.RunAsync(ended.Token);
        var reading = Generator.RunAsync(outbox, life.Time, ended.Token);
        try
        {
            var first = await Task.WhenAny(sending, reading, outbox.Failed);
            if (stop.IsCancellationRequested)
            {
                return;
            }

            await first;
            throw new OutboxException("the outbox failed", isTransient: true);
        }
        finally
        {
            Outbox = null;
            ended.Cancel();
        }
    }

    private void Takes(ReadOnlySpan<byte> message, ReadingOutbox outbox)
    {
        var bytes = message.ToArray();
        _trace.Detail(() => $"{Id} takes {MessageText.OfDown(bytes)}");
        _judge.Takes(message, outbox);
    }

    private void Says(string topic, ReadOnlyMemory<byte> payload)
    {
        _trace.Detail(() => $"{Id} says {MessageText.OfUp(topic, payload.Span)}");
        if (topic == MqttTopics.Hello(Id))
        {
            _judge.Says(payload.Span);
            _judges.Says(Id, payload.Span);
        }
    }

    private OutboxFault? DiskFault(Fault fault) =>
        _faults.Strikes(fault, Id.Value) ? DiskFaults[_random.Next(DiskFaults.Length)] : null;

    private void Durable(OutboxCommit commit, OnlineJudge judge)
    {
        judge.Durable(Id, commit, Disk.Snapshot());
        foreach (var frame in commit.Frames.Where(f => _dropsReadings && f.Dropped > 0 && !f.Data.IsEmpty))
        {
            _faults.Count(Fault.ReadingDropped, $"{Id} {frame.Key}");
        }

        foreach (var frame in commit.Quarantined)
        {
            _faults.Count(Fault.FrameQuarantined, $"{Id} {frame.Key}");
            if (!judge.FactsOf(Id).IsForked)
            {
                _faults.GivenUp.Add((Id, FrameHeader.Checksum(frame.Data.Span)));
            }
        }
    }

    private OutboxOptions Options() => new()
    {
        SegmentReadingsMax = 64,
        IdleCommitInterval = TimeSpan.FromSeconds(20),
        QuotaBytes = _quotaBytes,
        TestDropEvery = _dropsReadings ? TestDrops.EveryMin : 0,
    };

    private async ValueTask DiskWorksAsync(ProcessLife life, string when)
    {
        await Task.Delay(TimeSpan.FromMicroseconds(_random.Next(100, 20_000)), life.Time);
        if (_faults.Strikes(Fault.AgentCrashAtCommit, $"{Id} {when}"))
        {
            Machine.Kill(TimeSpan.FromMilliseconds(_random.Next(4000)));
            await Task.Yield();
        }
    }

    private void Died()
    {
        Outbox = null;
        Disk.PowerCut();
        Link.Break("the agent died");
    }
}
