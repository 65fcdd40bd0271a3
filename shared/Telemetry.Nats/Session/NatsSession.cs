using System.Buffers;
using System.Text;
using System.Text.Json;

namespace Telemetry.Nats;

/// <summary>Where a session stands.</summary>
internal enum NatsSessionPhase
{
    AwaitingInfo,
    AwaitingTls,
    AwaitingPong,
    Ready,
    Broken,
}

/// <summary>What the shell has to do after an input.</summary>
internal enum NatsSessionStep
{
    /// <summary>Nothing but sending what was written.</summary>
    Continue,

    /// <summary>Upgrade the stream to TLS, then call <see cref="NatsSession.TlsEstablished"/>.</summary>
    UpgradeToTls,

    /// <summary>The handshake is done; subscriptions and publishes may follow.</summary>
    BecomeReady,

    /// <summary>Hand the message to its subscription.</summary>
    Deliver,

    /// <summary>The server complained of one operation and goes on (<see cref="NatsSession.Complaint"/>).</summary>
    Report,

    /// <summary>A PONG answered the oldest PING that was not answered.</summary>
    CountPong,

    /// <summary>Close the connection; <see cref="NatsSession.Fault"/> says why.</summary>
    Break,
}

/// <summary>
/// One connection's conversation as a state machine: frames and time in, bytes and steps out. It knows no
/// socket, clock or task. Whoever owns the link calls it from one thread at a time.
/// <code>
/// AwaitingInfo ──INFO──► (AwaitingTls ──TLS up──►) AwaitingPong ──PONG──► Ready
///       └───────────── -ERR, malformed, silence ───────┴──────────────────┴──► Broken
/// </code>
/// Silence: a PING goes out when nothing was heard for an interval; as many intervals without any byte as
/// <c>pingsUnansweredMax</c> break the session.
/// </summary>
internal sealed class NatsSession(
    NatsConnectRequest connect, bool wantsTls, TimeSpan pingInterval, int pingsUnansweredMax)
{
    private TimeSpan _heardAt;
    private TimeSpan _pingedAt;
    private int _unanswered;

    public NatsSessionPhase Phase { get; private set; }

    public NatsServerInfo? Info { get; private set; }

    /// <summary>Why the session broke.</summary>
    public NatsException? Fault { get; private set; }

    /// <summary>The last -ERR that did not end the session.</summary>
    public string? Complaint { get; private set; }

    /// <summary>PINGs written so far, the handshake's included; a PONG answers them in order.</summary>
    public long PingsSent { get; private set; }

    public long PongsReceived { get; private set; }

    public void Begin(TimeSpan now)
    {
        _heardAt = now;
        _pingedAt = now;
    }

    /// <summary>Any bytes from the server prove that it lives.</summary>
    public void Heard(TimeSpan now)
    {
        _heardAt = now;
        _unanswered = 0;
    }

    public NatsSessionStep Receive(in NatsFrame frame, IBufferWriter<byte> output)
    {
        if (Phase == NatsSessionPhase.Broken)
        {
            return NatsSessionStep.Break;
        }

        return frame.Kind switch
        {
            NatsFrameKind.Message or NatsFrameKind.MessageWithHeaders => ReceiveMessage(),
            NatsFrameKind.Ping => AnswerPing(output),
            NatsFrameKind.Pong => ReceivePong(),
            NatsFrameKind.Info => ReceiveInfo(frame, output),
            NatsFrameKind.Error => ReceiveError(Encoding.UTF8.GetString(frame.Text)),
            _ => NatsSessionStep.Continue,
        };
    }

    public NatsSessionStep TlsEstablished(IBufferWriter<byte> output)
    {
        if (Phase != NatsSessionPhase.AwaitingTls)
        {
            throw new InvalidOperationException($"TLS established in {Phase}");
        }

        return SayConnect(output);
    }

    /// <summary>To be called often against the ping interval; pings, or breaks a session that fell silent.</summary>
    public NatsSessionStep Tick(TimeSpan now, IBufferWriter<byte> output)
    {
        if (Phase == NatsSessionPhase.Broken)
        {
            return NatsSessionStep.Break;
        }

        var since = _pingedAt > _heardAt ? _pingedAt : _heardAt;
        if (Phase != NatsSessionPhase.Ready || now - since < pingInterval)
        {
            return NatsSessionStep.Continue;
        }

        if (_unanswered >= pingsUnansweredMax)
        {
            return Break(new NatsConnectionException($"Nothing heard of the server for {now - _heardAt}"));
        }

        _unanswered++;
        _pingedAt = now;
        SendPing(output);
        return NatsSessionStep.Continue;
    }

    /// <summary>Writes a PING and returns its number; the PONG with the same number answers it.</summary>
    public long SendPing(IBufferWriter<byte> output)
    {
        NatsFrameWriter.WritePing(output);
        return ++PingsSent;
    }

    /// <summary>The link or the parser failed: nothing more is to come.</summary>
    public NatsSessionStep Break(NatsException fault)
    {
        Fault ??= fault;
        Phase = NatsSessionPhase.Broken;
        return NatsSessionStep.Break;
    }

    private NatsSessionStep ReceiveMessage() =>
        Phase == NatsSessionPhase.Ready
            ? NatsSessionStep.Deliver
            : Break(new NatsProtocolException($"Message in {Phase}"));

    private static NatsSessionStep AnswerPing(IBufferWriter<byte> output)
    {
        NatsFrameWriter.WritePong(output);
        return NatsSessionStep.Continue;
    }

    private NatsSessionStep ReceivePong()
    {
        if (PongsReceived >= PingsSent)
        {
            return Break(new NatsProtocolException("PONG without PING"));
        }

        PongsReceived++;
        if (Phase != NatsSessionPhase.AwaitingPong)
        {
            return NatsSessionStep.CountPong;
        }

        Phase = NatsSessionPhase.Ready;
        return NatsSessionStep.BecomeReady;
    }

    private NatsSessionStep ReceiveInfo(in NatsFrame frame, IBufferWriter<byte> output)
    {
        var info = NatsServerInfo.Read(frame.Text);
        if (info.MaxPayload <= 0)
        {
            return Break(new NatsProtocolException($"INFO with max_payload {info.MaxPayload}"));
        }

        Info = info;
        if (Phase != NatsSessionPhase.AwaitingInfo)
        {
            return NatsSessionStep.Continue;
        }

        if (!info.Headers)
        {
            return Break(new NatsProtocolException($"Server {info.Version} knows no headers"));
        }

        if (wantsTls && !info.TlsRequired && !info.TlsAvailable)
        {
            return Break(new NatsConnectionException("TLS was asked for and the server has none", isTransient: false));
        }

        if (wantsTls || info.TlsRequired)
        {
            Phase = NatsSessionPhase.AwaitingTls;
            return NatsSessionStep.UpgradeToTls;
        }

        return SayConnect(output);
    }

    private NatsSessionStep SayConnect(IBufferWriter<byte> output)
    {
        var json = JsonSerializer.SerializeToUtf8Bytes(connect, NatsJson.Default.NatsConnectRequest);
        NatsFrameWriter.WriteConnect(output, json);
        SendPing(output);
        Phase = NatsSessionPhase.AwaitingPong;
        return NatsSessionStep.Continue;
    }

    /// <summary>
    /// The server closes the connection after every -ERR but those of one operation's rights or subject.
    /// </summary>
    private NatsSessionStep ReceiveError(string text)
    {
        if (Is(text, "Permissions Violation") || Is(text, "Invalid Subject") || Is(text, "Invalid Publish Subject"))
        {
            Complaint = text;
            return NatsSessionStep.Report;
        }

        if (Is(text, "Authorization Violation") || Is(text, "User Authentication") || Is(text, "Account Authentication")
            || Is(text, "Authentication Expired"))
        {
            return Break(new NatsAuthenticationException($"The server refused the credentials: {text}"));
        }

        var isOurFault = Is(text, "Unknown Protocol") || Is(text, "Parser Error") || Is(text, "Maximum Payload")
            || Is(text, "Maximum Control Line") || Is(text, "Secure Connection") || Is(text, "Invalid Client Protocol");
        return Break(new NatsServerErrorException(text, isTransient: !isOurFault));
    }

    private static bool Is(string text, string beginning) =>
        text.StartsWith(beginning, StringComparison.OrdinalIgnoreCase);
}
