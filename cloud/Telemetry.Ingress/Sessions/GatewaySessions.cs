using Telemetry.Model.Identity;
using Telemetry.MqttSessions;

namespace Telemetry.Ingress.Sessions;

/// <summary>
/// The sessions of each gateway, oldest first. An agent has one; a gateway that opens more and more of them, each with
/// a client id of its own, must not use up the connections of all others. May be used on any thread.
/// </summary>
internal sealed class GatewaySessions(int max)
{
    private readonly Dictionary<GatewayId, List<IMqttServerSession>> _sessions = [];
    private readonly Lock _gate = new();

    /// <summary>Adds a session. Returns the oldest one if there are more than allowed; the caller closes it.</summary>
    public IMqttServerSession? Add(GatewayId gateway, IMqttServerSession session)
    {
        lock (_gate)
        {
            if (!_sessions.TryGetValue(gateway, out var sessions))
            {
                _sessions.Add(gateway, sessions = []);
            }

            sessions.Add(session);
            if (sessions.Count <= max)
            {
                return null;
            }

            var oldest = sessions[0];
            sessions.RemoveAt(0);
            return oldest;
        }
    }

    /// <summary>The session ended.</summary>
    public void Remove(GatewayId gateway, IMqttServerSession session)
    {
        lock (_gate)
        {
            if (_sessions.TryGetValue(gateway, out var sessions) && sessions.Remove(session) && sessions.Count == 0)
            {
                _sessions.Remove(gateway);
            }
        }
    }
}
