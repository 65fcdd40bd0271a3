using Telemetry.MqttSessions;
using Telemetry.MqttSessions.Sessions;

namespace Telemetry.Tests.MqttSessions.Sessions;

/// <summary>Allows what lies under own/.</summary>
internal sealed class OwnTopicsOnly : ISessionAuthorizer
{
    public MqttReasonCode AuthorizePublish(string topic, MqttQos qos) => Own(topic);

    public MqttReasonCode AuthorizeSubscribe(string filter, MqttQos qos) => Own(filter);

    private static MqttReasonCode Own(string topic) =>
        topic.StartsWith("own/", StringComparison.Ordinal) ? MqttReasonCode.Success : MqttReasonCode.NotAuthorized;
}
