using Microsoft.Extensions.Logging;
using Telemetry.Edge.Outbox;
using Telemetry.Edge.Outbox.Frames;
using Telemetry.Edge.Uplink.Sending;
using Telemetry.Edge.Uplink.Settlement;
using Telemetry.Model.Frames;
using Telemetry.Model.Protocol;
using Telemetry.Model.Wire;

namespace Telemetry.Edge.Uplink.Hellos;

/// <summary>
/// Decides what hellos contain and when a full one is due, across connections: a hello without an answer is repeated,
/// and another is sent when there is something to ask or to report.
/// </summary>
internal sealed class HelloSchedule(
    ReadingOutbox outbox, SettlementReader settlements, SentSchemas schemas, UplinkOptions options,
    UplinkStatus status, TimeProvider time, ILogger logger, uint process)
{
    private long _saidAt;
    private int _unanswered;
    private bool _digestDiffers;
    private bool _misheard;
    private bool _cloudIsOlder;
    private bool _isVersionKnown;
    private long _begunAt = time.GetTimestamp();

    /// <summary>The number of the newest full hello that was sent.</summary>
    public long Number { get; private set; }

    /// <summary>True when a full hello must be sent now.</summary>
    public bool Wanted { get; set; }

    /// <summary>True when the newest full hello was answered.</summary>
    public bool IsAnswered => _unanswered == 0;

    /// <summary>
    /// True when the cloud has told which frame version it reads (or refused hellos with a version), or has not
    /// answered on this connection for so long that waiting is pointless. Until the cloud tells its version, frames
    /// have version 0, which every cloud reads and which takes several times the bytes.
    /// </summary>
    public bool IsVersionKnown => _isVersionKnown || time.GetElapsedTime(_begunAt) >= options.VersionWait;

    /// <summary>How long backlog still waits for the version; negative when it does not wait.</summary>
    public TimeSpan VersionWaitLeft =>
        _isVersionKnown ? TimeSpan.MinValue : options.VersionWait - time.GetElapsedTime(_begunAt);

    /// <summary>Writes the hello to send.</summary>
    public byte[] Say(bool full)
    {
        var now = NowMicros();
        var writer = new WireWriter();
        if (full)
        {
            Wanted = _misheard = false;
            _unanswered++;
            _saidAt = time.GetTimestamp();
            status.Hellos++;
            var version = _cloudIsOlder ? (byte)0 : FrameHeader.VersionMax;
            HelloWriter.Full(
                outbox, new HelloId(process, ++Number), now, version, schemas.ToAsk(outbox.Held), _digestDiffers,
                settlements.Fork).Write(writer);
        }
        else
        {
            HelloWriter.Short(outbox, new HelloId(process, Number), now).Write(writer);
        }

        return writer.ToArray();
    }

    /// <summary>A new connection begins: a full hello is due.</summary>
    public void Begin()
    {
        Wanted = true;
        _cloudIsOlder = false;
        _unanswered = 0;
        _begunAt = time.GetTimestamp();
    }

    /// <summary>
    /// A full hello was refused as malformed, as a cloud does that knows no frame versions: it gets a hello without a
    /// version at once, and frames of version 0 until the next connection.
    /// </summary>
    public void Malformed()
    {
        if (!_cloudIsOlder)
        {
            _cloudIsOlder = Wanted = _isVersionKnown = true;
            outbox.FrameVersion = 0;
            UplinkLog.CloudIsOlder(logger);
        }
    }

    /// <summary>The answer that counts was the answer to this hello.</summary>
    public void Answered(HelloId hello)
    {
        _isVersionKnown = true;
        _unanswered = hello.Number == Number ? 0 : _unanswered;
    }

    /// <summary>
    /// An answer arrived that does not count. If its hello belongs to an earlier process of this outbox, that hello
    /// arrived late, and the cloud now believes that its list of held frames is current.
    /// </summary>
    public void AnsweredLate(HelloId hello) => _misheard |= hello.Process != process && _unanswered == 0;

    /// <summary>The cloud's digest of complete epochs. When it becomes different, a full hello asks about it.</summary>
    public void Compare(ulong digest)
    {
        var differs = digest != outbox.CompleteDigest;
        Wanted |= differs && !_digestDiffers;
        _digestDiffers = differs;
    }

    /// <summary>
    /// When the next full hello is due if nothing else happens: to repeat an unanswered one, or to ask about unsettled
    /// frames.
    /// </summary>
    public TimeSpan UntilDue()
    {
        var elapsed = time.GetElapsedTime(_saidAt);
        var wait = _unanswered > 0
            ? options.AnswerTimeout * Math.Min(8, 1 << Math.Min(3, _unanswered - 1))
            : _misheard ? options.AnswerTimeout : options.UnsettledAfter;
        return wait > elapsed ? wait - elapsed : TimeSpan.Zero;
    }

    /// <summary>
    /// True when a full hello has something to ask or to report: the last one is unanswered, the cloud took another
    /// process' hello for ours, frames are unsettled for too long, something unsettled is not here, or old epochs do
    /// not end.
    /// </summary>
    public bool IsDue()
    {
        if (Wanted || UntilDue() > TimeSpan.Zero)
        {
            return Wanted;
        }

        if (_unanswered > 0 || _misheard || _digestDiffers || settlements.LacksSomething
            || outbox.OpenEpochs.Any(e => !e.IsOwn) || outbox.Held.Any(WaitsLong))
        {
            return true;
        }

        _saidAt = time.GetTimestamp(); // Nothing to ask: check again after the same time.
        return false;
    }

    private bool WaitsLong(HeldFrame frame) => !frame.Held
        || (frame is
        {
            Forked: false, IsUnreadable: false,
            State: DeliveryState.Receipted or DeliveryState.Unreceipted,
        }
            && time.GetElapsedTime(frame.SentAtTimestamp) >= options.UnsettledAfter);

    private long NowMicros() =>
        (time.GetUtcNow().Ticks - DateTimeOffset.UnixEpoch.Ticks) / TimeSpan.TicksPerMicrosecond;
}
