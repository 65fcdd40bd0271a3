using Microsoft.Extensions.Logging;
using Telemetry.Edge.Outbox;
using Telemetry.Edge.Outbox.Frames;
using Telemetry.Edge.Uplink.Hellos;
using Telemetry.Edge.Uplink.Sending;
using Telemetry.Edge.Uplink.Settlement;
using Telemetry.Model.Identity;
using Telemetry.Model.Protocol;
using Telemetry.Model.Wire;
using Telemetry.Runtime;

namespace Telemetry.Edge.Uplink;

/// <summary>
/// What the uplink remembers from one connection to the next: which frames to send, what the cloud reported about them,
/// and whose stored-acks count. Sending never waits for an answer; without one, nothing is freed, and nothing is sent
/// again as lost.
/// </summary>
internal sealed class DeliveryTracker
{
    private readonly ReadingOutbox _outbox;
    private readonly UplinkOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly SettlementReader _settlements;
    private readonly uint _process;
    private readonly AnswerOrder _answers;
    private long _schemaAttempts;

    public DeliveryTracker(
        ReadingOutbox outbox, GatewayId gateway, UplinkOptions options, TimeProvider time, Random random,
        ILogger logger, UplinkStatus status, AnswerOrder answers)
    {
        _answers = answers;
        (_outbox, Gateway, _options, _time, _logger, Status) = (outbox, gateway, options, time, logger, status);
        _process = (uint)random.NextInt64(1, uint.MaxValue);
        _settlements = new SettlementReader(outbox);
        Schemas = new SentSchemas(outbox.Schemas);
        Hellos = new HelloSchedule(outbox, _settlements, Schemas, options, status, time, logger, _process);
        Random = random;
        outbox.Sealed += frame =>
        {
            Queues.Add(frame);
            Wake.Set();
        };
        Queues.Rebuild(outbox.Held);
    }

    public GatewayId Gateway { get; }

    public UplinkStatus Status { get; }

    public Random Random { get; }

    public SendQueues Queues { get; } = new();

    public SentSchemas Schemas { get; }

    /// <summary>Wakes the session.</summary>
    public Signal Wake { get; } = new();

    /// <summary>The hellos to send.</summary>
    public HelloSchedule Hellos { get; }

    /// <summary>True while any session seals backlog: the outbox accepts one such call at a time.</summary>
    public bool Sealing { get; set; }

    /// <summary>
    /// The number of a frame's next attempt: a new number only when the previous attempt is known not to be in the log.
    /// </summary>
    public Attempt Attempt(HeldFrame frame)
    {
        frame.Attempts = Math.Max(frame.Attempts, 1);
        return new Attempt(_process, frame.Attempts);
    }

    /// <summary>A separate attempt number for each schema that is sent.</summary>
    public Attempt SchemaAttempt() => new(_process, (int)(++_schemaAttempts & int.MaxValue));

    /// <summary>A new connection begins: everything under way is sent again, and a full hello is due.</summary>
    public void Begin()
    {
        Queues.Rebuild(_outbox.Held);
        Hellos.Begin();
    }

    /// <summary>Handles a message from the cloud.</summary>
    public void Take(ReadOnlySpan<byte> message)
    {
        try
        {
            switch (message.IsEmpty ? default : (DownKind)message[0])
            {
                case DownKind.StoredAck:
                    Take(StoredAck.Read(message));
                    break;
                case DownKind.SchemaNeeded:
                    Take(SchemaNeeded.Read(message));
                    break;
                case DownKind.Receipt:
                    Take(ReceiptMessage.Read(message));
                    break;
                default:
                    throw new WireFormatException("a message of an unknown kind", 0);
            }
        }
        catch (WireFormatException e)
        {
            UplinkLog.DownMalformed(_logger, e.Message);
        }
    }

    /// <summary>
    /// A PUBACK reported that the log has the frame (or, without a receipt, only that a broker has it).
    /// </summary>
    public void Acknowledged(HeldFrame frame, Receipt? receipt)
    {
        if (frame.Freed || frame.State != DeliveryState.Sending)
        {
            return;
        }

        frame.State = receipt is null ? DeliveryState.Unreceipted : DeliveryState.Receipted;
        frame.ReceiptAtHello = Hellos.Number;
        if (receipt is not null)
        {
            _outbox.NoteReceipt(frame, receipt);
        }
    }

    /// <summary>A publish was refused.</summary>
    public void Refused(PublishOutcome outcome)
    {
        Status.Refusals++;
        Status.LastError = $"refused with 0x{outcome.ReasonCode:x2}: {outcome.Reason}";
        UplinkLog.Refused(_logger, outcome.ReasonCode, outcome.Reason);
    }

    /// <summary>A frame is given up because of a fault of its own.</summary>
    public void Quarantined(HeldFrame frame) => UplinkLog.Quarantined(_logger, frame.Key.ToString(), frame.Refusals);

    /// <summary>A frame can be neither sent nor replaced.</summary>
    public void Unreadable(HeldFrame frame, WireFormatException error)
    {
        Status.LastError = $"{frame.Key} cannot be read: {error.Message}";
        UplinkLog.Unreadable(_logger, frame.Key.ToString(), error.Message);
    }

    private void Take(StoredAck ack)
    {
        if (!Counts(ack))
        {
            Status.Ignored++;
            return;
        }

        Status.LastWord = _time.GetUtcNow();
        var before = _outbox.Held.Count;
        _settlements.LostButHere = false;
        foreach (var epoch in ack.Epochs)
        {
            _settlements.Take(epoch, isAnswer: ack.InAnswerTo is not null);
        }

        if (ack.Fork && ack.Epochs.Any(e => _outbox.FindEpoch(e.Epoch) is { IsOwn: true }))
        {
            _settlements.ReportFork("the cloud found a settled range with other content in this run's epoch");
        }

        Status.FramesFreed += before - _outbox.Held.Count;
        if (_settlements.ForkFound)
        {
            // The cloud books what nobody holds any more only when the agent itself reports that its outbox was put
            // back.
            _settlements.ForkFound = false;
            Hellos.Wanted = true;
            Status.Fork = _settlements.Fork;
            UplinkLog.Fork(_logger, _settlements.Fork);
        }

        if (ack.InAnswerTo is not null)
        {
            Status.Answers++;
            _outbox.FrameVersion = ack.FrameVersion;
            Queues.Release(_outbox.FrameVersion);
            foreach (var frame in ReceiptJudge.LostOnTheWay(ack, _outbox.Held, _time, _options.UnsettledAfter))
            {
                SendAgain(frame);
            }

            Schemas.Answered(ack, _outbox.Held, _time, _options.UnsettledAfter);
        }

        Schemas.Known(ack.KnownSchemas);
        Hellos.Compare(ack.Digest);
        Hellos.Wanted |= _settlements.LostButHere && ack.InAnswerTo is null && Hellos.IsAnswered;
        Wake.Set();
    }

    /// <summary>
    /// Answers to an older hello than the newest one answered, and stored-acks with another token, are ignored.
    /// </summary>
    private bool Counts(StoredAck ack)
    {
        if (ack.InAnswerTo is { } hello)
        {
            if (_answers.IsNewer(hello, _process))
            {
                _answers.Take(hello, ack.Token);
                Hellos.Answered(hello);
                return true;
            }

            Hellos.AnsweredLate(hello);
            Wake.Set();
            return false;
        }

        if (_answers.IsOwners(ack.Token))
        {
            return true;
        }

        if (Hellos.IsAnswered)
        {
            Hellos.Wanted = true;
            Wake.Set();
        }

        return false;
    }

    private void Take(SchemaNeeded needed)
    {
        // An answer tells faster which part of the chain the database knows than sending the whole chain again.
        Hellos.Wanted |= Schemas.Needed(needed.Schema);
        if (_outbox.Find(new FrameId(needed.Frame.Epoch, needed.Frame.Lane, needed.Frame.First)) is { Held: true } frame
            && frame.State is DeliveryState.Receipted or DeliveryState.Unreceipted)
        {
            SendAgain(frame);
        }

        Wake.Set();
    }

    private void Take(ReceiptMessage message)
    {
        if (_outbox.Find(new FrameId(message.Frame.Epoch, message.Frame.Lane, message.Frame.First)) is { } frame
            && message.Attempt == Attempt(frame) && frame.State is DeliveryState.Sending or DeliveryState.Unreceipted)
        {
            frame.State = DeliveryState.Receipted;
            frame.ReceiptAtHello = Hellos.Number;
            _outbox.NoteReceipt(frame, message.Receipt);
        }
    }

    /// <summary>A deliberate resend has a new attempt, so that the log's deduplication does not discard it.</summary>
    private void SendAgain(HeldFrame frame)
    {
        frame.Attempts = Math.Max(frame.Attempts, 1) + 1;
        frame.Forked = false;
        _outbox.NoteReceipt(frame, null);
        Status.FramesResent++;
        Queues.Add(frame);
        Wake.Set();
    }
}
