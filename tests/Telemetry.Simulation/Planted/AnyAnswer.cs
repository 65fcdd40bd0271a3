using Telemetry.Edge.Uplink.Sending;
using Telemetry.Model.Protocol;

namespace Telemetry.Simulation.Planted;

/// <summary>Planted bug: an answer to an older hello is taken.</summary>
internal sealed class AnyAnswer : AnswerOrder
{
    public override bool IsNewer(HelloId hello, uint process) => true;
}
