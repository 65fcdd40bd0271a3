using Telemetry.Edge.Outbox;
using Telemetry.Model.Frames;
using Telemetry.Model.Identity;
using Telemetry.Model.Protocol;
using Telemetry.Model.Wire;
using Telemetry.Simulation.Faults;
using Telemetry.Simulation.Worlds;
using Telemetry.Storage;
using Telemetry.Streams;
using Telemetry.TestKit.Simulated;

namespace Telemetry.Simulation.Checking.Online;

/// <summary>
/// Judges a world on the way, so that what heals is seen too: at each commit of the database, at each stored-ack that
/// an agent takes, at each frame that leaves an outbox, at each loss that is booked. It takes no part in the world.
/// </summary>
internal sealed class OnlineJudge
{
    private readonly SimulatedWorld _world;
    private readonly Dictionary<GatewayId, GatewayFacts> _gateways = [];
    private readonly JudgedStore _store;
    private readonly StoreJudge _commits;
    private readonly LossJudge _losses;
    private readonly WatermarkJudge _watermarks;
    private readonly WindowJudge _windows;
    private readonly Findings _findings;

    public OnlineJudge(SimulatedWorld world)
    {
        _world = world;
        _findings = new Findings(world.Pump.Clock, world.Trace);
        _store = new JudgedStore(world.Store);
        _commits = new StoreJudge(
            FactsOf, _store.Index, _findings, (fault, where) => world.Faults.Count(fault, where));
        _losses = new LossJudge(world, FactsOf, _findings);
        _watermarks = new WatermarkJudge(FactsOf, _store.Index, _findings, world.Pump.Clock);
        _windows = new WindowJudge(_findings);
        world.Store.Committed = Committed;
        world.ControlChannel.SentDown = (_, message) => Said(message.Span);
        world.ControlChannel.HelloHeard = (by, gateway, hello) =>
        {
            world.Trace.Detail(() => $"an owner hears of {gateway} {MessageText.OfUp("/hello", hello.Span)}");
            _losses.HelloHeard(by, gateway, hello.Span);
        };
    }

    /// <summary>What was found.</summary>
    public IEnumerable<string> Problems => _findings.Lines;

    /// <summary>What is known of a gateway.</summary>
    public GatewayFacts FactsOf(GatewayId gateway) => _gateways.TryGetValue(gateway, out var facts)
        ? facts : _gateways[gateway] = new GatewayFacts(gateway);

    /// <summary>True when the database has the frame, with this content.</summary>
    public bool IsStored(GatewayId gateway, FrameKey key, ulong checksum) =>
        _store.Index.Find(gateway, key)?.Checksum == checksum;

    /// <summary>The judge of one agent's life after life.</summary>
    public FreeJudge Of(GatewayId gateway) => new(FactsOf(gateway), _store, _findings);

    /// <summary>What an input's source knows of the readings that it made.</summary>
    public void Knows(GatewayId gateway, Journal journal) => FactsOf(gateway).Journal = journal;

    /// <summary>A commit became durable on a disk of a gateway.</summary>
    public void Durable(GatewayId gateway, OutboxCommit commit, OutboxSnapshot disk)
    {
        var facts = FactsOf(gateway);
        facts.Sealed.Durable(commit, disk);
        _watermarks.Durable(gateway, commit, disk);
        if (_world.Twins.Any(t => t.Id == gateway && !t.Machine.IsDestroyed))
        {
            // Each of the two lives takes what the other one seals for what nobody has any more.
            foreach (var frame in commit.Frames)
            {
                facts.Excuses.GoneFromEdge(frame.Key);
            }
        }
    }

    /// <summary>An agent says a hello.</summary>
    public void Says(GatewayId gateway, ReadOnlySpan<byte> hello) => _watermarks.Says(gateway, hello);

    /// <summary>
    /// Where the watermark of a gateway must be at least, when nothing more comes. Known only where nobody set its
    /// clock back: what it promises then says less than what it promised before.
    /// </summary>
    public long WatermarkDue(GatewayId gateway)
    {
        if (FactsOf(gateway).IsForked || _world.Mix.Has(Fault.AgentClockStepped))
        {
            return long.MinValue;
        }

        var slowest = (_world.Pump.Clock.GetUtcNow() - _world.Now + _world.Clocks.SlowestOfCloud
            - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;
        return _watermarks.Due(
            gateway, _world.Store.Content, made => slowest + (made.Ticks / TimeSpan.TicksPerMicrosecond));
    }

    /// <summary>An older database took the present one's place.</summary>
    public void DatabasePutBack(SimulatedDatabase before, SimulatedDatabase after)
    {
        var there = SimulatedDatabase.All(after.Frames).Select(f => (f.Gateway, f.Key)).ToHashSet();
        foreach (var row in SimulatedDatabase.All(before.Frames).Where(f => !there.Contains((f.Gateway, f.Key))))
        {
            FactsOf(row.Gateway).Excuses.Unstored(row.Key);
        }

        _store.PutBack(after);
        _windows.PutBack(after);
    }

    /// <summary>A stream was damaged; <paramref name="before"/> are the messages that it had.</summary>
    public void LogDamaged(int partition, StreamKind kind, IReadOnlyCollection<FrameLogMessage> before)
    {
        _losses.LogDamaged(kind);
        var left = _world.Log.Find(partition, kind)?.Messages;
        foreach (var message in before)
        {
            if (left?.GetValueOrDefault(message.Sequence) is { } kept && kept.MessageId == message.MessageId)
            {
                continue;
            }

            FrameEnvelope.Read(message.Data.Span, out var offset);
            if (!FrameReader.TryKind(message.Data.Span[offset..], out var what) || what == FrameKind.Schema)
            {
                FactsOf(message.Gateway).Excuses.SchemaGoneFromLog();
            }
            else
            {
                FactsOf(message.Gateway).Excuses.GoneFromLog(
                    FrameReader.Header(message.Data.Span[offset..], out _).Key);
            }
        }
    }

    /// <summary>A gateway's disk got an older content, or a copy of it came to life.</summary>
    public void OutboxCopied(GatewayMachine gateway, OutboxSnapshot copy)
    {
        var facts = FactsOf(gateway.Id);
        facts.IsForked = true;
        facts.Copied.UnionWith(EdgeContent.Unsealed(gateway.Id, copy));
    }

    /// <summary>A disk is no more; <paramref name="left"/> is what another one of the gateway has.</summary>
    public void DiskGone(GatewayId gateway, OutboxSnapshot disk, OutboxSnapshot left)
    {
        foreach (var key in disk.HeldFrames.Except(left.HeldFrames))
        {
            FactsOf(gateway).Excuses.GoneFromEdge(key);
        }
    }

    private void Committed(StoreCommit commit, SimulatedDatabase before, object? by)
    {
        _store.Committed(commit);
        _commits.Committed(commit, before, _world.Store.Content);
        _losses.Committed(commit, before, by);
        _watermarks.Committed(commit, before, _world.Store.Content);
        _windows.Committed(commit, _world.Store.Content);
    }

    private void Said(ReadOnlySpan<byte> message)
    {
        if (message[0] == (byte)DownKind.StoredAck)
        {
            _store.Tags.Said(message);
        }
    }
}
