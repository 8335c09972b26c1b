"""What applications do with SQLAlchemy: reflection, and an ORM's inserts and queries. Argument: a URL."""
import sys

from sqlalchemy import Column, ForeignKey, Integer, MetaData, Numeric, String, create_engine, func, inspect, select
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, insert
from sqlalchemy.orm import Session, declarative_base, relationship, selectinload

Base = declarative_base()


class Author(Base):
    __tablename__ = "orm_author"
    id = Column(Integer, primary_key=True)
    name = Column(String(80), nullable=False, unique=True)
    tags = Column(ARRAY(String))
    books = relationship("Book", back_populates="author")


class Book(Base):
    __tablename__ = "orm_book"
    id = Column(Integer, primary_key=True)
    title = Column(String, index=True)
    price = Column(Numeric(8, 2))
    extra = Column(JSONB)
    author_id = Column(ForeignKey("orm_author.id", ondelete="CASCADE"))
    author = relationship(Author, back_populates="books")


engine = create_engine(sys.argv[1], pool_size=3, pool_pre_ping=True)
Base.metadata.drop_all(engine)
Base.metadata.create_all(engine)
with Session(engine) as s:
    for i in range(50):
        books = [Book(title=f"b{i}.{j}", price=j, extra={"n": j}) for j in range(3)]
        s.add(Author(name=f"author {i}", tags=["x", str(i)], books=books))
    s.commit()
    authors = s.scalars(select(Author).options(selectinload(Author.books)).order_by(Author.id)).all()
    assert len(authors) == 50 and all(len(a.books) == 3 for a in authors)
    total = s.execute(select(Author.name, func.sum(Book.price)).join(Book).group_by(Author.name).limit(1)).one()
    assert total[1] == 3
    assert s.scalar(select(func.count()).where(Book.extra["n"].as_integer() == 2)) == 50
    s.execute(insert(Author).values(name="author 0").on_conflict_do_nothing())
    s.delete(authors[0])
    s.commit()
    assert s.scalar(select(func.count(Book.id))) == 150

meta = MetaData()
meta.reflect(engine)
assert {"orm_author", "orm_book"} <= set(meta.tables)
seen = inspect(engine)
assert seen.get_pk_constraint("orm_book")["constrained_columns"] == ["id"]
assert seen.get_foreign_keys("orm_book")[0]["referred_table"] == "orm_author"
assert [i["column_names"] for i in seen.get_indexes("orm_book")] == [["title"]]
assert seen.get_unique_constraints("orm_author")[0]["column_names"] == ["name"]
assert str(meta.tables["orm_book"].c.price.type) == "NUMERIC(8, 2)"
assert seen.get_view_names() is not None and seen.get_sequence_names()
with engine.connect().execution_options(stream_results=True, max_row_buffer=20) as c:
    assert len(c.execute(select(Book.id)).all()) == 150
with engine.connect().execution_options(isolation_level="SERIALIZABLE") as c:
    assert c.exec_driver_sql("show transaction_isolation").scalar() == "serializable"
Base.metadata.drop_all(engine)
print("fine")
