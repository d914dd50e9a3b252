package bench;

import javax.sql.DataSource;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;

import org.springframework.batch.core.configuration.annotation.EnableBatchProcessing;
import org.springframework.batch.core.configuration.annotation.EnableJdbcJobRepository;
import org.springframework.batch.core.configuration.support.MapJobRegistry;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.jdbc.support.JdbcTransactionManager;

/** JDBC job repository on the same Postgres, in its own schema so that other contestants' BATCH_ tables are not touched. */
@Configuration(proxyBeanMethods = false)
@EnableBatchProcessing
@EnableJdbcJobRepository(databaseType = "POSTGRES", tablePrefix = "sb.BATCH_")
public class Infra {

	/** BENCH_URL as libpq writes it, without its user and parameters, in JDBC's form. */
	static final String URL = System.getenv()
		.getOrDefault("BENCH_URL", "postgres://postgres@127.0.0.1:54329/bench")
		.replaceFirst("\\?.*", "")
		.replaceFirst("^postgres(ql)?://(.*@)?", "jdbc:postgresql://") + "?reWriteBatchedInserts=true";

	@Bean(destroyMethod = "close")
	public HikariDataSource dataSource() {
		HikariConfig c = new HikariConfig();
		c.setJdbcUrl(URL);
		c.setUsername("postgres");
		c.setPassword("x");
		c.setMaximumPoolSize(4);
		c.setMinimumIdle(1);
		return new HikariDataSource(c);
	}

	@Bean
	public JdbcTransactionManager transactionManager(DataSource dataSource) {
		return new JdbcTransactionManager(dataSource);
	}

	/** Needed for JobOperator.restart(JobExecution) of a job that is not itself a bean. */
	@Bean
	public MapJobRegistry jobRegistry() {
		return new MapJobRegistry();
	}

	@Bean
	public JdbcTemplate jdbcTemplate(DataSource dataSource) {
		return new JdbcTemplate(dataSource);
	}

}
