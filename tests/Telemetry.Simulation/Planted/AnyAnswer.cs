using Telemetry.Edge.Uplink;
using Telemetry.Model.Control;

namespace Telemetry.Simulation.Planted;

/// <summary>Planted bug: an answer to an older hello is taken.</summary>
internal sealed class AnyAnswer : AnswerOrder
{
    public override bool IsNewer(HelloId hello, uint process) => true;
}
