using System.Security.Cryptography;
using System.Text;
using Telemetry.Storage.Postgres.Migrations;
using Telemetry.Tests.Architecture;

namespace Telemetry.Tests.Storage.Postgres.Migrations;

/// <summary>Databases get changed views only with a new version.</summary>
public sealed class ViewMakingTests
{
    // Who changes a file of Migrations/Views raises MigrationRunner.Version, unless that version is new since the last
    // release, and writes here what the test finds.
    private const string Expected = "19 476b14604fc496fe";

    [Fact]
    public void Changed_views_come_with_a_new_version()
    {
        var files = Directory.GetFiles(
            Path.Combine(SourceTree.Root, "cloud/Telemetry.Storage/Postgres/Migrations/Views"), "*.sql");
        var text = string.Concat(files.Order(StringComparer.Ordinal).Select(File.ReadAllText));
        var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)))[..16];

        Assert.Equal(Expected, $"{MigrationRunner.Version} {hash}");
    }
}
