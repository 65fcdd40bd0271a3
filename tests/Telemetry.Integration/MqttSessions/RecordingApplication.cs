using System.Collections.Concurrent;
using System.Text;
using System.Threading.Channels;
using Telemetry.MqttSessions;

namespace Telemetry.Integration.MqttSessions;

/// <summary>
/// An application that lets in whoever has the password, lets each client use <c>own/&lt;client id&gt;/…</c> alone, and
/// remembers what came.
/// </summary>
internal sealed class RecordingApplication : IMqttApplication
{
    public const string Password = "secret";

    public Channel<(IMqttServerSession Session, string Topic, string Text)> Messages { get; } =
        Channel.CreateBounded<(IMqttServerSession, string, string)>(10_000);

    public ConcurrentDictionary<string, IMqttServerSession> Sessions { get; } = [];

    public Channel<string> Log { get; } = Channel.CreateBounded<string>(10_000);

    public Channel<ConnectRequest> Requests { get; } = Channel.CreateBounded<ConnectRequest>(1_000);

    /// <summary>Decides on a message; by default it is taken.</summary>
    public Func<MqttMessage, ValueTask<PublishVerdict>> Verdict { get; init; } = _ => new(PublishVerdict.Accepted);

    public ValueTask<AuthenticateResult> AuthenticateAsync(ConnectRequest request, CancellationToken ct)
    {
        Requests.Writer.TryWrite(request);
        bool known = request.Password is { } password && password.Span.SequenceEqual(Encoding.UTF8.GetBytes(Password));
        return new(known ? AuthenticateResult.Accepted
            : new AuthenticateResult(MqttReasonCode.BadUserNameOrPassword, "wrong user name or password"));
    }

    public ValueTask ConnectedAsync(IMqttServerSession session, CancellationToken ct)
    {
        Sessions[session.ClientId] = session;
        Log.Writer.TryWrite($"connected {session.ClientId}");
        return ValueTask.CompletedTask;
    }

    public void Disconnected(IMqttServerSession session, MqttCloseReason reason) =>
        Log.Writer.TryWrite($"disconnected {session.ClientId} {reason.Kind} {reason.ReasonCode}");

    public MqttReasonCode AuthorizePublish(IMqttServerSession session, string topic, MqttQos qos) =>
        Own(session, topic);

    public MqttReasonCode AuthorizeSubscribe(IMqttServerSession session, string filter, MqttQos qos) =>
        Own(session, filter);

    public async ValueTask<PublishVerdict> PublishedAsync(
        IMqttServerSession session, MqttMessage message, CancellationToken ct)
    {
        Messages.Writer.TryWrite((session, message.Topic, Encoding.UTF8.GetString(message.Payload.Span)));
        return await Verdict(message);
    }

    private static MqttReasonCode Own(IMqttServerSession session, string topic) =>
        topic.StartsWith($"own/{session.ClientId}/", StringComparison.Ordinal)
            ? MqttReasonCode.Success : MqttReasonCode.NotAuthorized;
}
