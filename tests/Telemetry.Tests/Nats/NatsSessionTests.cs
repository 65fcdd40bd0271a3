using System.Buffers;
using System.Text;
using Telemetry.Nats;

namespace Telemetry.Tests.Nats;

public sealed class NatsSessionTests
{
    private const string Info = """INFO {"server_id":"A","version":"2.9.10","headers":true,"max_payload":1000}""";
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(20);
    private readonly ArrayBufferWriter<byte> _output = new();
    private readonly NatsSession _session = NewSession();

    private static NatsSession NewSession(bool wantsTls = false) =>
        new(new() { User = "u", Password = "p" }, wantsTls, Interval, pingsUnansweredMax: 2);

    private string Sent
    {
        get
        {
            var text = Encoding.UTF8.GetString(_output.WrittenSpan);
            _output.ResetWrittenCount();
            return text;
        }
    }

    private NatsSessionStep Receive(string line, NatsSession? session = null)
    {
        var input = new ReadOnlySequence<byte>(Encoding.UTF8.GetBytes(line + "\r\n"));
        Assert.True(new NatsFrameReader().TryRead(ref input, out var frame));
        return (session ?? _session).Receive(frame, _output);
    }

    private void BecomeReady()
    {
        _session.Begin(TimeSpan.Zero);
        Receive(Info);
        Assert.Equal(NatsSessionStep.BecomeReady, Receive("PONG"));
        _ = Sent;
    }

    [Fact]
    public void INFO_is_answered_by_CONNECT_and_PING_and_PONG_makes_it_ready()
    {
        Assert.Equal(NatsSessionStep.Continue, Receive(Info));
        var sent = Sent;
        Assert.StartsWith("CONNECT {", sent, StringComparison.Ordinal);
        Assert.Contains("\"user\":\"u\"", sent, StringComparison.Ordinal);
        Assert.Contains("\"no_responders\":true", sent, StringComparison.Ordinal);
        Assert.EndsWith("}\r\nPING\r\n", sent, StringComparison.Ordinal);
        Assert.Equal(NatsSessionPhase.AwaitingPong, _session.Phase);

        Assert.Equal(NatsSessionStep.BecomeReady, Receive("PONG"));
        Assert.Equal((NatsSessionPhase.Ready, 1000), (_session.Phase, _session.Info!.MaxPayload));
    }

    [Fact]
    public void Credentials_are_not_said_before_TLS_is_up()
    {
        var session = NewSession();
        var info = Info.Replace("}", ",\"tls_required\":true}", StringComparison.Ordinal);
        Assert.Equal(NatsSessionStep.UpgradeToTls, Receive(info, session));
        Assert.Equal("", Sent);

        Assert.Equal(NatsSessionStep.Continue, session.TlsEstablished(_output));
        Assert.Contains("\"pass\":\"p\"", Sent, StringComparison.Ordinal);
    }

    [Fact]
    public void A_server_without_TLS_is_refused_where_TLS_was_asked_for()
    {
        var session = NewSession(wantsTls: true);
        Assert.Equal(NatsSessionStep.Break, Receive(Info, session));
        Assert.Equal("", Sent);
        Assert.False(session.Fault!.IsTransient);
    }

    [Fact]
    public void A_PING_is_answered()
    {
        BecomeReady();
        Assert.Equal(NatsSessionStep.Continue, Receive("PING"));
        Assert.Equal("PONG\r\n", Sent);
    }

    [Theory]
    [InlineData("Authorization Violation", typeof(NatsAuthenticationException), false)]
    [InlineData("User Authentication Expired", typeof(NatsAuthenticationException), false)]
    [InlineData("Stale Connection", typeof(NatsServerErrorException), true)]
    [InlineData("maximum connections exceeded", typeof(NatsServerErrorException), true)]
    [InlineData("Authentication Timeout", typeof(NatsServerErrorException), true)]
    [InlineData("Unknown Protocol Operation", typeof(NatsServerErrorException), false)]
    [InlineData("Maximum Payload Violation", typeof(NatsServerErrorException), false)]
    public void An_error_ends_the_session_and_says_whether_it_passes(string text, Type type, bool transient)
    {
        BecomeReady();
        Assert.Equal(NatsSessionStep.Break, Receive($"-ERR '{text}'"));
        Assert.IsType(type, _session.Fault);
        Assert.Equal(transient, _session.Fault.IsTransient);
        Assert.Equal(NatsSessionStep.Break, Receive("PING"));
    }

    [Theory]
    [InlineData("Permissions Violation for Publish to \"a\"")]
    [InlineData("Invalid Subject")]
    public void An_error_of_one_operation_is_reported_and_the_session_goes_on(string text)
    {
        BecomeReady();
        Assert.Equal(NatsSessionStep.Report, Receive($"-ERR '{text}'"));
        Assert.Equal((text, NatsSessionPhase.Ready), (_session.Complaint, _session.Phase));
    }

    [Theory]
    [InlineData("INFO nonsense")]
    [InlineData("INFO null")]
    [InlineData("INFO []")]
    public void An_INFO_that_is_no_object_is_a_protocol_exception(string line) =>
        Assert.Throws<NatsProtocolException>(() => Receive(line));

    [Theory]
    [InlineData("""INFO {"headers":true,"max_payload":0}""")]
    [InlineData("""INFO {"headers":false,"max_payload":1000}""")]
    [InlineData("PONG")]
    [InlineData("MSG a 1 0\r\n")]
    public void What_does_not_belong_into_a_handshake_breaks_it(string line) =>
        Assert.Equal(NatsSessionStep.Break, Receive(line));

    [Fact]
    public void Silence_is_answered_by_pings_and_then_ends_the_session()
    {
        BecomeReady();
        Assert.Equal(NatsSessionStep.Continue, _session.Tick(Interval - TimeSpan.FromTicks(1), _output));
        Assert.Equal("", Sent);
        Assert.Equal(NatsSessionStep.Continue, _session.Tick(Interval, _output));
        Assert.Equal("PING\r\n", Sent);
        Assert.Equal(NatsSessionStep.Continue, _session.Tick(Interval * 1.5, _output));
        Assert.Equal("", Sent);
        Assert.Equal(NatsSessionStep.Continue, _session.Tick(Interval * 2, _output));
        Assert.Equal("PING\r\n", Sent);

        Assert.Equal(NatsSessionStep.Break, _session.Tick(Interval * 3, _output));
        Assert.True(_session.Fault!.IsTransient);
    }

    [Fact]
    public void Any_bytes_heard_keep_the_session_alive()
    {
        BecomeReady();
        for (var i = 1; i <= 10; i++)
        {
            Assert.Equal(NatsSessionStep.Continue, _session.Tick(Interval * i, _output));
            Assert.Equal("PING\r\n", Sent);
            _session.Heard(Interval * i);
        }
    }

    [Fact]
    public void A_PONG_without_a_PING_is_a_protocol_fault()
    {
        BecomeReady();
        Assert.Equal(NatsSessionStep.Break, Receive("PONG"));
        Assert.IsType<NatsProtocolException>(_session.Fault);
    }

    [Fact]
    public void A_later_INFO_changes_the_limits()
    {
        BecomeReady();
        Assert.Equal(NatsSessionStep.Continue, Receive(Info.Replace("1000", "77", StringComparison.Ordinal)));
        Assert.Equal(77, _session.Info!.MaxPayload);
        Assert.Equal("", Sent);
    }
}
