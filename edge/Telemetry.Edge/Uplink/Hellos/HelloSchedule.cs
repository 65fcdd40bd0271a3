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
/// What hellos say, and when a full one is due, from one connection to the next: one that is not answered is repeated,
/// and another is said when there is something to ask or to say.
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

    /// <summary>The number of the newest full hello that was said.</summary>
    public long Number { get; private set; }

    /// <summary>True when a full hello is to be said now.</summary>
    public bool Wanted { get; set; }

    /// <summary>True when the newest full hello was answered.</summary>
    public bool IsAnswered => _unanswered == 0;

    /// <summary>
    /// True when the cloud has said which version of frames it reads (or refused to hear of versions), or has been
    /// silent for so long on this connection that waiting for it helps nobody: until it says so frames are of version
    /// 0, which every cloud reads and which takes several times the bytes.
    /// </summary>
    public bool IsVersionKnown => _isVersionKnown || time.GetElapsedTime(_begunAt) >= options.VersionWait;

    /// <summary>How long backlog still waits for that; negative when it does not.</summary>
    public TimeSpan VersionWaitLeft =>
        _isVersionKnown ? TimeSpan.MinValue : options.VersionWait - time.GetElapsedTime(_begunAt);

    /// <summary>The hello to say, as bytes.</summary>
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

    /// <summary>A new connection: a full hello is due.</summary>
    public void Begin()
    {
        Wanted = true;
        _cloudIsOlder = false;
        _unanswered = 0;
        _begunAt = time.GetTimestamp();
    }

    /// <summary>
    /// A full hello was refused as malformed. A cloud from before frames had versions does that: it hears one without a
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

    /// <summary>The newest answer of all, to this hello.</summary>
    public void Answered(HelloId hello)
    {
        _isVersionKnown = true;
        _unanswered = hello.Number == Number ? 0 : _unanswered;
    }

    /// <summary>
    /// An answer that does not count. Where the hello is of a life of this outbox that has ended, it came late, and
    /// what it said to hold is believed now.
    /// </summary>
    public void AnsweredLate(HelloId hello) => _misheard |= hello.Process != process && _unanswered == 0;

    /// <summary>The cloud's digest of complete epochs: one that begins to differ is asked about.</summary>
    public void Compare(ulong digest)
    {
        var differs = digest != outbox.CompleteDigest;
        Wanted |= differs && !_digestDiffers;
        _digestDiffers = differs;
    }

    /// <summary>
    /// When the next full hello is due if nothing happens: an unanswered one is repeated, unsettled frames are asked
    /// for.
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
    /// True when a full hello has something to ask or to say: unanswered, another process' hello taken for ours, frames
    /// unsettled for long, something unsettled that is not here, or old epochs without end.
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

        _saidAt = time.GetTimestamp(); // Nothing to ask: look again after the same time.
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
