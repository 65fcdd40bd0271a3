using Telemetry.TestKit.Servers;

namespace Telemetry.Integration.Dashboard;

/// <summary>
/// A test of pages: it needs nats-server, PostgreSQL and Chromium, and is skipped where one is missing.
/// </summary>
public sealed class ChromiumFactAttribute : FactAttribute
{
    public ChromiumFactAttribute() => Skip = new ServersFactAttribute(nats: true, postgres: true).Skip
        ?? (Programs.Find(Browser.Program) is null ? "chromium is not installed" : null);
}
