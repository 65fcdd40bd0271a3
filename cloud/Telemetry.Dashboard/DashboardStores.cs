using Telemetry.Storage.Access;
using Telemetry.Storage.Acts;
using Telemetry.Storage.Fleet;

namespace Telemetry.Dashboard;

/// <summary>What a dashboard has of the database.</summary>
/// <param name="Queries">What is asked.</param>
/// <param name="Users">Who may ask.</param>
/// <param name="Acts">What people do.</param>
public sealed record DashboardStores(IFleetQueries Queries, IDashboardUsers Users, IOperatorActs Acts);
