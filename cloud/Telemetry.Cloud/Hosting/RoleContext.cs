using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging;
using Telemetry.Cloud.Configuration;
using Telemetry.Cloud.Health;
using Telemetry.Diagnostics.Failures;

namespace Telemetry.Cloud.Hosting;

/// <summary>What every service of the process is given.</summary>
/// <param name="Settings">The configuration.</param>
/// <param name="Health">Where a service says what keeps it from its work.</param>
/// <param name="Meter">Where it publishes its instruments.</param>
/// <param name="Database">What is known of the database's reach; null where no role needs the database.</param>
/// <param name="Time">The clock.</param>
/// <param name="Random">Jitter and ids.</param>
/// <param name="Logging">The operator's log.</param>
internal sealed record RoleContext(
    CloudSettings Settings, CloudHealth Health, Meter Meter, ReportedFailure? Database, TimeProvider Time,
    Random Random, ILoggerFactory Logging)
{
    /// <summary>The logger of the process itself.</summary>
    public ILogger ProcessLog => Logging.CreateLogger("Telemetry.Cloud");

    /// <summary>True where one of the roles works on the database.</summary>
    public static bool NeedDatabase(CloudRoles roles) =>
        (roles & (CloudRoles.Processor | CloudRoles.Relay | CloudRoles.Dashboard)) != 0;
}
