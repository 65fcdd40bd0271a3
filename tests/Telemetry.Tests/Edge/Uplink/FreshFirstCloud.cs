using Telemetry.Edge.Uplink;
using Telemetry.Edge.Uplink.Sending;
using Telemetry.Model.Frames;
using Telemetry.Model.Identity;
using Telemetry.Model.Protocol;
using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;
using Telemetry.Model.Wire;
using Telemetry.TestKit.Simulated;
using Telemetry.Tests.Edge.Outbox;

namespace Telemetry.Tests.Edge.Uplink;

/// <summary>
/// A cloud at the other end of a <see cref="ThinLink"/>: takes every frame as its bytes arrive, answers hellos, says
/// what is stored, and notes how far behind its event time each reading was.
/// </summary>
internal sealed class FreshFirstCloud
{
    private const ulong Token = 5;
    private static readonly PublishOutcome Malformed =
        new(FrameSender.PayloadFormatInvalid, null, "of no known version");

    private readonly OutboxRig _rig;
    private readonly Dictionary<(ulong Epoch, Lane Lane), (long Prefix, ulong Share)> _stored = [];
    private readonly ReadingBatch _readings = new();
    private readonly List<Declaration> _declarations = [];
    private readonly HashSet<SchemaId> _schemas = [default];
    private readonly HashSet<SchemaId> _schemasOfBacklog = [default];
    private readonly List<SchemaId> _unsaid = [];
    private long _sequence;

    public FreshFirstCloud(OutboxRig rig)
    {
        _rig = rig;
        Link = new ThinLink(rig.Clock, Arrived);
    }

    public ThinLink Link { get; }

    /// <summary>The version of frames that it reads.</summary>
    public byte FrameVersion { get; set; } = 1;

    /// <summary>True: it is from before frames had versions, and calls malformed what states one.</summary>
    public bool IsOlder { get; set; }

    /// <summary>False: hellos are refused, as without an owner.</summary>
    public bool AnswersHellos { get; set; } = true;

    /// <summary>Every reading: event time, arrival (microseconds), lane.</summary>
    public List<(long Time, long Arrived, Lane Lane)> Arrivals { get; } = [];

    /// <summary>Every frame: when it arrived, lane, version, payload bytes, readings.</summary>
    public List<(TimeSpan At, Lane Lane, int Version, int Bytes, int Readings)> Frames { get; } = [];

    /// <summary>How many schemas arrived in each stream.</summary>
    public int[] SchemasTaken { get; } = new int[2];

    /// <summary>When the last connection was made, on the clock's scale.</summary>
    public TimeSpan ConnectedAt => _rig.Clock.Elapsed - (_rig.Clock.GetUtcNow() - Link.ConnectedAt!.Value);

    /// <summary>What the agent gave up for a fault of its own.</summary>
    public int Quarantined => _rig.Disk.Snapshot().Quarantine.Count;

    /// <summary>It knows all schemas of the gateway from an earlier life of its agent.</summary>
    public void KnowSchemas() => _schemas.UnionWith(_rig.Outbox.Schemas.Select(s => s.Message.Id));

    private PublishOutcome Arrived(string topic, ReadOnlyMemory<byte> payload)
    {
        if (topic == MqttTopics.Hello(OutboxRig.Gateway))
        {
            return Take(payload.Span);
        }

        FrameEnvelope.Read(payload.Span, out var offset);
        var frame = payload.Span[offset..];
        var stream = topic == MqttTopics.Frames(OutboxRig.Gateway, Lane.Backlog) ? StreamKind.Backlog : StreamKind.Live;
        if (!FrameReader.TryKind(frame, out var kind) || kind != FrameKind.Schema)
        {
            _readings.Clear();
            _declarations.Clear();
            if (IsOlder && FrameReader.Header(frame, out _).Version > 0)
            {
                return Malformed;
            }

            Assert.Contains(
                FrameReader.Header(frame, out _).Schema,
                stream == StreamKind.Backlog ? _schemasOfBacklog : _schemas);
            var header = FrameReader.Read(frame, _rig.Outbox.Series.Types, _readings, _declarations);
            Frames.Add((_rig.Clock.Elapsed, header.Key.Lane, header.Version, payload.Length, header.Present));
            foreach (var time in _readings.Times)
            {
                Arrivals.Add((time, _rig.Now, header.Key.Lane));
            }

            Store(header.Key, FrameHeader.Checksum(frame));
        }
        else
        {
            SchemasTaken[(int)stream]++;
            Register(SchemaMessage.Read(frame), stream);
        }

        return new PublishOutcome(0, new Receipt(stream, ++_sequence).PropertyValue, null);
    }

    private PublishOutcome Take(ReadOnlySpan<byte> payload)
    {
        var hello = Hello.Read(payload);
        if (IsOlder && hello.FrameVersion > 0)
        {
            return Malformed;
        }

        if (!AnswersHellos)
        {
            return new PublishOutcome(0x83, null, "nobody owns the partition now");
        }

        if (hello.Full)
        {
            Say(new StoredAck
            {
                Token = Token,
                InAnswerTo = hello.Id,
                FrameVersion = Math.Min(hello.FrameVersion, FrameVersion),
                Digest = _rig.Outbox.CompleteDigest,
                Epochs = [.. hello.Epochs.Select(epoch => Settled(epoch.Epoch))],
                KnownSchemas = [.. hello.Schemas.Where(_schemas.Contains)],
                Live = new StreamProgress(0, long.MaxValue),
                Backlog = new StreamProgress(0, long.MaxValue),
            });
        }

        return new PublishOutcome(0, null, null);
    }

    // Where the database is put back, BACKLOG may be read before LIVE: it has all that its frames need. What the
    // database knows stands in LIVE, as it came there first.
    private void Register(SchemaMessage schema, StreamKind stream)
    {
        Assert.Contains(schema.Parent, _schemas);
        if (stream == StreamKind.Backlog)
        {
            Assert.Contains(schema.Id, _schemas);
            Assert.Contains(schema.Parent, _schemasOfBacklog);
            _schemasOfBacklog.Add(schema.Id);
        }

        if (_schemas.Add(schema.Id))
        {
            _unsaid.Add(schema.Id);
            if (_unsaid.Count == 1)
            {
                _ = SayKnownAsync();
            }
        }
    }

    // Once for all that one transaction registers.
    private async Task SayKnownAsync()
    {
        await _rig.After(TimeSpan.FromMilliseconds(100));
        Say(new StoredAck
        {
            Token = Token,
            Digest = _rig.Outbox.CompleteDigest,
            KnownSchemas = [.. _unsaid.Take(Hello.SchemasMax)],
        });
        _unsaid.Clear();
    }

    private void Store(FrameKey key, ulong checksum)
    {
        var (prefix, share) = _stored.GetValueOrDefault((key.Epoch, key.Lane));
        if (key.First == prefix + 1)
        {
            _stored[(key.Epoch, key.Lane)] = (key.Last, unchecked(share + key.Share(checksum)));
            Say(new StoredAck
            {
                Token = Token,
                Digest = _rig.Outbox.CompleteDigest,
                Epochs = [Settled(key.Epoch)],
            });
        }
    }

    private EpochSettlement Settled(ulong epoch) => new(
        epoch,
        false,
        [.. Enumerable.Range(0, Lanes.Count).Select(lane => _stored.GetValueOrDefault((epoch, (Lane)lane)))
            .Select(lane => new LaneSettlement(lane.Prefix, lane.Share, lane.Prefix, []))]);

    private void Say(StoredAck ack)
    {
        var writer = new WireWriter();
        ack.Write(writer);
        Link.SendDown(writer.ToArray());
    }
}
