using Telemetry.TestKit.Servers;

namespace Telemetry.Integration.MqttSessions;

/// <summary>
/// A test that needs mosquitto_pub and mosquitto_sub: skipped with the reason, but never with CI=true.
/// </summary>
internal sealed class MosquittoClientsFactAttribute : FactAttribute
{
    public MosquittoClientsFactAttribute() =>
        Skip = Missing.Reason("mosquitto-clients", Programs.Find("mosquitto_pub"));
}

/// <summary>A test that needs paho for Python: skipped with the reason, but never with CI=true.</summary>
internal sealed class PahoFactAttribute : FactAttribute
{
    public const string Python = "/usr/bin/python3";

    public PahoFactAttribute() => Skip = Missing.Reason("python3-paho-mqtt",
        Directory.Exists("/usr/lib/python3/dist-packages/paho/mqtt") ? Python : null);
}
