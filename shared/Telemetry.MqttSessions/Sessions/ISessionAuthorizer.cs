namespace Telemetry.MqttSessions.Sessions;

/// <summary>What a session asks its application about, at once and without waiting.</summary>
internal interface ISessionAuthorizer
{
    MqttReasonCode AuthorizePublish(string topic, MqttQos qos);

    MqttReasonCode AuthorizeSubscribe(string filter, MqttQos qos);
}
