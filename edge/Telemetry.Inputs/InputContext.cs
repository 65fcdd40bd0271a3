using Microsoft.Extensions.Logging;
using Telemetry.Inputs.Senders;
using Telemetry.Model.Identity;

namespace Telemetry.Inputs;

/// <summary>What an agent gives to each of its inputs.</summary>
/// <param name="Gateway">The gateway of the agent.</param>
/// <param name="Journal">Where offers are noted; null for none.</param>
/// <param name="Time">The clock.</param>
/// <param name="Log">The agent's log.</param>
public sealed record InputContext(GatewayId Gateway, SenderJournal? Journal, TimeProvider Time, ILogger Log);
